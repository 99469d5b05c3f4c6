-- Counts the lines of standard input that contain WORD.

local input = require("input")

return function()
  local word = input.text("WORD")
  local lines = 0
  for line in io.lines() do
    if line:find(word, 1, true) then
      lines = lines + 1
    end
  end
  print(lines)
end
