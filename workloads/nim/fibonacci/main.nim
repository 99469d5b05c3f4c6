## The Nth Fibonacci number by plain recursion.

import input

func fibonacci(n: int): uint64 =
  if n < 2: n.uint64 else: fibonacci(n - 1) + fibonacci(n - 2)

var n = number("N", 0, 93).int
var answer: uint64
for _ in 1..iterations():
  answer = fibonacci(hidden(n))
echo answer
