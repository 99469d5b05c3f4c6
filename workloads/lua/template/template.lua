-- An HTML page with TITLE and a table of ROWS rows.

local input = require("input")

local ENTITIES <const> = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

local HEAD <const> = [[
<!DOCTYPE html>
<html>
<head><title>%s</title></head>
<body>
<h1>%s</h1>
<table>
]]
local ROW <const> = "<tr><td>%d</td><td>%s</td><td>%s</td></tr>\n"
local FOOT <const> = [[
</table>
<p>%d rows, %s in total</p>
</body>
</html>
]]

local function escaped(text)
  return (text:gsub("[&<>\"']", ENTITIES))
end

local function price(cents)
  return ("%d.%02d"):format(cents // 100, cents % 100)
end

local function render(title, rows)
  local page = { HEAD:format(escaped(title), escaped(title)) }
  local total = 0
  for row = 1, rows do
    local cents = row * row * 7919 % 10000
    total = total + cents
    page[#page + 1] = ROW:format(row, escaped(title), price(cents))
  end
  page[#page + 1] = FOOT:format(rows, price(total))
  return table.concat(page)
end

return function()
  local title = input.text("TITLE")
  local rows = input.number("ROWS", 0, 100000)
  io.write(input.repeated(function() return render(title, rows) end))
end
