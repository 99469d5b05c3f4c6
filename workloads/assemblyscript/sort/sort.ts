// Sorts COUNT random numbers and prints the least, the middle and the greatest of them.

import { number } from "../common/input";
import { Random } from "../common/random";

const count = <i32>number("COUNT", 1, 10_000_000);
const random = new Random(<u32>number("SEED", 1, u32.MAX_VALUE));
const numbers = new Uint32Array(count);
for (let i = 0; i < count; ++i) numbers[i] = random.next();
numbers.sort();

const checksum = numbers.reduce<u32>((sum, number) => sum * 31 + number, 0);
console.log(`${numbers[0]} ${numbers[count / 2]} ${numbers[count - 1]} ${checksum}`);
