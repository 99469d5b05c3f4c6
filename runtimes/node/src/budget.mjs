// How long a measurement goes on: the rules of docs/RUNNER.md, as isobar_core's measuring loops have them.

import { startReadings } from "./readings.mjs";

export const now = process.hrtime.bigint;
export const between = (from, to) => Number(to - from);

// The first look at the precision is after so many samples, each further one after half as many more again.
const FIRST_LOOK = 16;

// Two neighbouring windows of so many invocations are compared to see whether they still change.
const WINDOW = 20;

// Medians that differ by less than this share count as equal.
const EQUAL = 0.01;

const ascending = (a, b) => a - b;

/** Half of the median's 95 % interval as a share of the median, by order statistics: the ranks n/2 ± 0.98 √n (Hollander
 *  and Wolfe, "Nonparametric Statistical Methods", section 3.6). */
export function halfWidth(samples) {
  const sorted = Float64Array.from(samples).sort();
  const middle = Math.floor(sorted.length / 2);
  const away = Math.ceil(0.98 * Math.sqrt(sorted.length));
  const low = sorted[Math.max(0, middle - away)];
  const high = sorted[Math.min(sorted.length - 1, middle + away)];
  return (high - low) / 2 / Math.max(1, sorted[middle]);
}

/** Takes samples until a budget says that it is enough. `take` gives the phases of one sample, in nanoseconds. */
export function sample(budget, names, take) {
  const columns = names.map(() => []);
  const totals = [];
  let nextLook = FIRST_LOOK;
  const readings = startReadings();
  const start = now();
  const stop = () => {
    if (totals.length < budget.min_samples) return null;
    if (totals.length >= budget.max_samples) return "samples";
    if (between(start, now()) >= budget.time_ns) return "time";
    if (budget.precision <= 0 || totals.length < nextLook) return null;
    nextLook = totals.length + Math.floor(totals.length / 2);
    return halfWidth(totals) <= budget.precision ? "precision" : null;
  };
  let reason;
  while ((reason = stop()) === null) {
    const phases = take();
    phases.forEach((ns, at) => columns[at].push(ns));
    totals.push(phases.reduce((sum, ns) => sum + ns, 0));
  }
  const samples = Object.fromEntries(names.map((name, at) => [name, columns[at]]));
  return { samples, stop: reason, readings: readings(totals.length) };
}

/** Calls `invoke`, which tells its time in nanoseconds, until its times are stationary or the budget is used up. */
export function warmUp(budget, invoke) {
  const times = [];
  const start = now();
  const end = () => {
    if (times.length >= budget.warm_up_samples) return "samples";
    if (between(start, now()) >= budget.warm_up_ns) return "time";
    if (times.length < 2 * WINDOW || times.length % WINDOW !== 0) return null;
    return stationary(times.slice(-2 * WINDOW, -WINDOW), times.slice(-WINDOW)) ? "stationary" : null;
  };
  let reason;
  while ((reason = end()) === null) times.push(invoke());
  return { samples: times.length, elapsed_ns: between(start, now()), end: reason };
}

/** Whether two windows of times may come from one distribution: equal medians, or a rank-sum test that does not tell them
 *  apart at 5 % (Mann and Whitney 1947; normal approximation, ties corrected). */
export function stationary(before, after) {
  const [first, second] = [before, after].map((times) => [...times].sort(ascending)[times.length >> 1]);
  return Math.abs(first - second) <= EQUAL * Math.max(first, second) || Math.abs(rankSumZ(before, after)) < 1.96;
}

/** The standardised rank sum of `a` among both. */
export function rankSumZ(a, b) {
  const all = [...a.map((time) => [time, true]), ...b.map((time) => [time, false])].sort((x, y) => x[0] - y[0]);
  let [ranks, ties] = [0, 0];
  for (let below = 0; below < all.length;) {
    let count = 1;
    while (below + count < all.length && all[below + count][0] === all[below][0]) count++;
    const ofA = all.slice(below, below + count).filter(([, isA]) => isA).length;
    ranks += (below + (count + 1) / 2) * ofA;
    ties += count ** 3 - count;
    below += count;
  }
  const [n, m] = [a.length, b.length];
  const variance = ((n * m) / 12) * (n + m + 1 - ties / ((n + m) * (n + m - 1)));
  return variance <= 0 ? 0 : (ranks - (n * (n + m + 1)) / 2) / Math.sqrt(variance);
}
