/** Marsaglia's 32-bit xorshift. */
export class Random {
  constructor(private state: u32) {}

  next(): u32 {
    let x = this.state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return this.state = x;
  }
}
