-- The Nth Fibonacci number by plain recursion, ITERATIONS times.

local input = require("input")

-- The last one that fits 64 bits.
local LARGEST <const> = 93

local function fibonacci(n)
  if n < 2 then
    return n
  end
  return fibonacci(n - 1) + fibonacci(n - 2)
end

return function()
  local n = input.number("N", 0, LARGEST)
  print(input.repeated(function() return fibonacci(n) end))
end
