// Counts the points of a SIZE by SIZE grid that stay in the Mandelbrot set for LIMIT steps.

import { number, repeat } from "input";

function escape(cx, cy, limit) {
  let zx = 0;
  let zy = 0;
  let steps = 0;
  while (steps < limit && zx * zx + zy * zy <= 4) {
    const x = zx * zx - zy * zy + cx;
    zy = 2 * zx * zy + cy;
    zx = x;
    steps++;
  }
  return steps;
}

function count(size, limit) {
  let inside = 0;
  let total = 0;
  for (let row = 0; row < size; row++) {
    const cy = (3 * (row + 0.5)) / size - 1.5;
    for (let column = 0; column < size; column++) {
      const cx = (3 * (column + 0.5)) / size - 2.25;
      const steps = escape(cx, cy, limit);
      total += steps;
      if (steps === limit) inside++;
    }
  }
  return `${inside} ${total}`;
}

export default function () {
  const size = number("SIZE", 1, 4000);
  const limit = number("LIMIT", 1, 100000);
  console.log(repeat(() => count(size, limit)));
}
