// Counts the points of a SIZE by SIZE grid that stay in the Mandelbrot set for LIMIT steps.

import { iterations, number } from "../common/input";

const size = <i32>number("SIZE", 1, 4000);
const limit = <i32>number("LIMIT", 1, 100000);
let inside: u64 = 0;
let steps: u64 = 0;

function escape(cx: f64, cy: f64): i32 {
  let zx = 0.0;
  let zy = 0.0;
  let step = 0;
  while (step < limit && zx * zx + zy * zy <= 4.0) {
    const x = zx * zx - zy * zy + cx;
    zy = 2.0 * zx * zy + cy;
    zx = x;
    ++step;
  }
  return step;
}

function count(): void {
  inside = 0;
  steps = 0;
  for (let row = 0; row < size; ++row) {
    const cy = 3.0 * (row + 0.5) / size - 1.5;
    for (let column = 0; column < size; ++column) {
      const cx = 3.0 * (column + 0.5) / size - 2.25;
      const made = escape(cx, cy);
      steps += made;
      if (made == limit) ++inside;
    }
  }
}

for (let i = iterations(); i > 0; --i) count();
console.log(`${inside} ${steps}`);
