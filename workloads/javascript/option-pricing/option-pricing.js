// The prices of a European call and put option, by a Monte Carlo simulation of PATHS paths.

import { number, xorshift } from "input";

/** Normal numbers by Marsaglia's polar method, which makes them in pairs. */
function* normals(random) {
  const uniform = () => (random() + 0.5) / 2147483648 - 1;
  for (;;) {
    const a = uniform();
    const b = uniform();
    const s = a * a + b * b;
    if (s >= 1) continue;
    const m = Math.sqrt((-2 * Math.log(s)) / s);
    yield a * m;
    yield b * m;
  }
}

export default function () {
  const spot = number("SPOT_CENTS", 1, 100_000_000) / 100;
  const strike = number("STRIKE_CENTS", 1, 100_000_000) / 100;
  const rate = number("RATE_BP", 0, 100_000) / 10_000;
  const volatility = number("VOLATILITY_BP", 0, 100_000) / 10_000;
  const years = number("DAYS", 0, 36_500) / 365;
  const paths = number("PATHS", 1, 1_000_000_000);
  const normal = normals(xorshift(number("SEED", 1, 2 ** 32 - 1)));

  const drift = (rate - (volatility * volatility) / 2) * years;
  const spread = volatility * Math.sqrt(years);
  let call = 0;
  let put = 0;
  for (let path = 0; path < paths; path++) {
    const end = spot * Math.exp(drift + spread * normal.next().value);
    call += Math.max(end - strike, 0);
    put += Math.max(strike - end, 0);
  }
  const discount = Math.exp(-rate * years);
  console.log(`call ${((discount * call) / paths).toFixed(4)} put ${((discount * put) / paths).toFixed(4)}`);
}
