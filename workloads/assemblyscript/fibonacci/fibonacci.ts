// The Nth Fibonacci number by plain recursion, ITERATIONS times.

import { iterations, number } from "../common/input";

// The last one that fits 64 bits.
const LARGEST: u64 = 93;

function fibonacci(n: u32): u64 {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

const n = <u32>number("N", 0, LARGEST);
let result: u64 = 0;
for (let i = iterations(); i > 0; --i) result = fibonacci(n);
console.log(result.toString());
