// Multiplies two random N by N matrices.

import { number, xorshift } from "input";

const randomMatrix = (n, random) => Float64Array.from({ length: n * n }, () => (random() % 1000) - 500);

function multiply(n, a, b) {
  const c = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < n; k++) {
      const factor = a[i * n + k];
      for (let j = 0; j < n; j++) c[i * n + j] += factor * b[k * n + j];
    }
  }
  return c;
}

export default function () {
  const n = number("N", 1, 1000);
  const random = xorshift(number("SEED", 1, 2 ** 32 - 1));
  const a = randomMatrix(n, random);
  const b = randomMatrix(n, random);
  const c = multiply(n, a, b);

  let diagonal = 0;
  for (let i = 0; i < n; i++) diagonal += c[i * n + i];
  const sum = c.reduce((sum, element) => sum + element, 0);
  const weighted = c.reduce((sum, element, i) => sum + element * ((i % 7) + 1), 0);
  console.log(diagonal, sum, weighted);
}
