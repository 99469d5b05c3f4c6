-- Counts the points of a SIZE by SIZE grid that stay in the Mandelbrot set for LIMIT steps.

local input = require("input")

local function escape(cx, cy, limit)
  local zx, zy, steps = 0.0, 0.0, 0
  while steps < limit and zx * zx + zy * zy <= 4 do
    zx, zy = zx * zx - zy * zy + cx, 2 * zx * zy + cy
    steps = steps + 1
  end
  return steps
end

local function count(size, limit)
  local inside, total = 0, 0
  for row = 0, size - 1 do
    local cy = 3 * (row + 0.5) / size - 1.5
    for column = 0, size - 1 do
      local steps = escape(3 * (column + 0.5) / size - 2.25, cy, limit)
      total = total + steps
      if steps == limit then
        inside = inside + 1
      end
    end
  end
  return inside .. " " .. total
end

return function()
  local size = input.number("SIZE", 1, 4000)
  local limit = input.number("LIMIT", 1, 100000)
  print(input.repeated(function() return count(size, limit) end))
end
