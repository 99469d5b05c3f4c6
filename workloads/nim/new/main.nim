## Counts the lines of standard input that contain WORD.

import std/strutils
import input

let word = text("WORD")
var found = 0
for line in stdin.lines:
  if word in line:
    inc found
echo found
