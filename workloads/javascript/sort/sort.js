// Sorts COUNT random numbers and prints the least, the middle and the greatest of them.

import { number, xorshift } from "input";

export default function () {
  const count = number("COUNT", 1, 10_000_000);
  const random = xorshift(number("SEED", 1, 2 ** 32 - 1));
  const numbers = Uint32Array.from({ length: count }, random).sort();
  const checksum = numbers.reduce((sum, number) => (sum * 31 + number) % 2 ** 32, 0);
  console.log(numbers[0], numbers[count >> 1], numbers[count - 1], checksum);
}
