// Multiplies two random N by N matrices.

import { number } from "../common/input";
import { Random } from "../common/random";

type Matrix = StaticArray<f64>;

function randomMatrix(n: i32, random: Random): Matrix {
  const matrix = new StaticArray<f64>(n * n);
  for (let i = 0; i < n * n; ++i) matrix[i] = <f64>(random.next() % 1000) - 500.0;
  return matrix;
}

function multiply(n: i32, a: Matrix, b: Matrix): Matrix {
  const c = new StaticArray<f64>(n * n);
  for (let i = 0; i < n; ++i) {
    for (let k = 0; k < n; ++k) {
      const factor = a[i * n + k];
      for (let j = 0; j < n; ++j) {
        unchecked(c[i * n + j] += factor * b[k * n + j]);
      }
    }
  }
  return c;
}

const n = <i32>number("N", 1, 1000);
const random = new Random(<u32>number("SEED", 1, u32.MAX_VALUE));
const a = randomMatrix(n, random);
const b = randomMatrix(n, random);
const c = multiply(n, a, b);

let diagonal = 0.0;
let sum = 0.0;
let weighted = 0.0;
for (let i = 0; i < n; ++i) diagonal += c[i * n + i];
for (let i = 0; i < n * n; ++i) {
  sum += c[i];
  weighted += c[i] * (i % 7 + 1);
}
console.log(`${<i64>diagonal} ${<i64>sum} ${<i64>weighted}`);
