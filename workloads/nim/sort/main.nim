## Sorts COUNT random numbers and prints the least, the middle and the greatest of them.

import std/[algorithm, sequtils]
import input

let count = number("COUNT", 1, 10_000_000).int
var random = initRandom()
var numbers = newSeqWith(count, random.next())
numbers.sort()

var checksum: uint32
for number in numbers:
  checksum = checksum * 31 + number
echo numbers[0], " ", numbers[count div 2], " ", numbers[^1], " ", checksum
