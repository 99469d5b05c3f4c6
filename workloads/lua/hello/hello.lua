-- Greets whoever NAME names.

local input = require("input")

return function()
  print("Hello, " .. input.text("NAME") .. "!")
end
