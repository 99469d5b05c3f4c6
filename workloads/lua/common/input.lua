-- What the Lua functions share: a strict reading of the environment, and one way to refuse it.

local input = {}

local BAD_INPUT <const> = 2

-- Ends the program with one line, which says what is wrong with a variable.
function input.refuse(variable, what)
  io.stderr:write(variable, ": ", what, "\n")
  os.exit(BAD_INPUT)
end

-- A variable that must be there, possibly empty.
function input.text(variable)
  return os.getenv(variable) or input.refuse(variable, "is not set")
end

-- A variable that must be a whole number from `least` to `most`, in digits only.
function input.number(variable, least, most)
  local digits = input.text(variable)
  -- A number that does not fit 64 bits becomes a float.
  local value = digits:match("^%d+$") and math.tointeger(tonumber(digits))
  if not value or value < least or value > most then
    input.refuse(variable, ("is not a whole number from %d to %d"):format(least, most))
  end
  return value
end

-- Calls `work` as often as the variable ITERATIONS says, or once, and gives its last answer.
function input.repeated(work)
  local times = os.getenv("ITERATIONS") and input.number("ITERATIONS", 1, math.maxinteger) or 1
  local answer
  for _ = 1, times do
    answer = work()
  end
  return answer
end

return input
