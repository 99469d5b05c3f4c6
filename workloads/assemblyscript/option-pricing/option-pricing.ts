// The prices of a European call and put option, by a Monte Carlo simulation of PATHS paths.

import { number } from "../common/input";
import { Random } from "../common/random";

const spot = <f64>number("SPOT_CENTS", 1, 100_000_000) / 100.0;
const strike = <f64>number("STRIKE_CENTS", 1, 100_000_000) / 100.0;
const rate = <f64>number("RATE_BP", 0, 100_000) / 10_000.0;
const volatility = <f64>number("VOLATILITY_BP", 0, 100_000) / 10_000.0;
const years = <f64>number("DAYS", 0, 36_500) / 365.0;
const paths = <i32>number("PATHS", 1, 1_000_000_000);
const random = new Random(<u32>number("SEED", 1, u32.MAX_VALUE));

/** Normal numbers by Marsaglia's polar method, which makes them in pairs. */
class Normals {
  private second: f64 = 0.0;
  private hasSecond: bool = false;

  next(): f64 {
    if (this.hasSecond) {
      this.hasSecond = false;
      return this.second;
    }
    let a: f64, b: f64, s: f64;
    do {
      a = uniform();
      b = uniform();
      s = a * a + b * b;
    } while (s >= 1.0);
    const m = Math.sqrt(-2.0 * Math.log(s) / s);
    this.second = b * m;
    this.hasSecond = true;
    return a * m;
  }
}

/** From -1 to 1. */
function uniform(): f64 {
  return (<f64>random.next() + 0.5) / 2147483648.0 - 1.0;
}

/** With four decimals; the language has no `toFixed`. */
function fixed(price: f64): string {
  const parts = <u64>Math.round(price * 10_000.0);
  return (parts / 10_000).toString() + "." + (parts % 10_000).toString().padStart(4, "0");
}

const drift = (rate - volatility * volatility / 2.0) * years;
const spread = volatility * Math.sqrt(years);
const normals = new Normals();
let call = 0.0;
let put = 0.0;
for (let path = 0; path < paths; ++path) {
  const end = spot * Math.exp(drift + spread * normals.next());
  call += Math.max(end - strike, 0.0);
  put += Math.max(strike - end, 0.0);
}
const discount = Math.exp(-rate * years);
console.log(`call ${fixed(discount * call / paths)} put ${fixed(discount * put / paths)}`);
