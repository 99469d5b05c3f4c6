## What the Nim functions share: a strict reading of the environment and of standard input, and one way to refuse it.

import std/[envvars, strutils]

{.compile: "start.c".}

const
  Iterations = "ITERATIONS"
  Refused = 2

proc refuse*(variable, what: string) {.noreturn.} =
  ## Ends the program with one line, which says what is wrong with a variable or with standard input.
  stderr.writeLine(variable, ": ", what)
  quit(Refused)

proc text*(variable: string): string =
  ## A variable that must be there, possibly empty.
  if not existsEnv(variable):
    refuse(variable, "is not set")
  getEnv(variable)

proc number*(variable: string, least, most: uint64): uint64 =
  ## A variable that must be a whole number from `least` to `most`, in digits only.
  let digits = text(variable)
  # The library also takes a sign, and underscores between the digits.
  var valid = digits.len > 0 and allCharsInSet(digits, Digits)
  if valid:
    try:
      result = parseBiggestUInt(digits)
    except ValueError:
      valid = false
  if not valid or result notin least..most:
    refuse(variable, digits.escape & " is not a whole number from " & $least & " to " & $most)

proc iterations*(): uint64 =
  ## How many times the work is to be done: the variable ITERATIONS, or once.
  if existsEnv(Iterations): number(Iterations, 1, uint64.high) else: 1

proc hidden*[T](value: var T): var T =
  ## The value, which the compiler cannot see through from here on: work on it is done anew each time.
  {.emit: ["asm volatile(\"\" : : \"r\"(", value.addr, ") : \"memory\");"].}
  value

type Random* = object
  ## Marsaglia's 32-bit xorshift.
  state: uint32

proc initRandom*(): Random =
  ## Begins with the variable SEED.
  Random(state: number("SEED", 1, uint32.high).uint32)

proc next*(random: var Random): uint32 =
  ## The next number, which is the next state.
  random.state = random.state xor (random.state shl 13)
  random.state = random.state xor (random.state shr 17)
  random.state = random.state xor (random.state shl 5)
  random.state
