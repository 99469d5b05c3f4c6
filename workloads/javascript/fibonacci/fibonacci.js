// The Nth Fibonacci number by plain recursion, ITERATIONS times.

import { number, repeat } from "input";

// The last one that fits 64 bits.
const LARGEST = 93;

function fibonacci(n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

export default function () {
  const n = number("N", 0, LARGEST);
  console.log(String(repeat(() => fibonacci(n))));
}
