// The rules by which measuring ends, with the values that isobar_core's own tests have.

import assert from "node:assert/strict";
import { test } from "node:test";
import { halfWidth, rankSumZ, sample, stationary, warmUp } from "../src/budget.mjs";

const BUDGET = {
  warm_up_samples: 100,
  warm_up_ns: 1e18,
  min_samples: 2,
  max_samples: 1000,
  time_ns: 1e18,
  precision: 0.02,
};

function taken(budget, at) {
  let count = 0;
  const { samples, stop, readings } = sample(budget, ["ns"], () => [at(count++)]);
  assert.equal(readings.invocations, count);
  return [samples.ns.length, stop];
}

test("sampling ends with the precision, the samples or the time", () => {
  assert.deepEqual(
    taken(BUDGET, () => 1000),
    [16, "precision"],
  );
  assert.deepEqual(
    taken(BUDGET, (at) => 1000 + 1000 * (at % 2)),
    [1000, "samples"],
  );
  assert.deepEqual(
    taken({ ...BUDGET, precision: 0 }, () => 1000),
    [1000, "samples"],
  );
  assert.deepEqual(
    taken({ ...BUDGET, time_ns: 0 }, () => 1000),
    [2, "time"],
  );
  const [count, stop] = taken(BUDGET, (at) => 9000 + ((at * 7919) % 2001));
  assert.ok(stop === "precision" && count >= 24 && count <= 200, `${count}`);
});

test("the interval of a median is that of its order statistics", () => {
  // n = 100: the ranks 50 - 10 and 50 + 10.
  assert.equal(halfWidth(Array.from({ length: 100 }, (_, i) => i + 1)), 20 / 2 / 51);
});

test("warming up ends when nothing changes any more, and otherwise at its bound", () => {
  let at = 0;
  assert.deepEqual(pick(warmUp(BUDGET, () => 1000 + (at++ % 7))), [40, "stationary"]);
  at = 0;
  const falls = warmUp({ ...BUDGET, warm_up_samples: 1000 }, () => 1000 + 20 * Math.max(0, 100 - ++at));
  assert.ok(falls.end === "stationary" && falls.samples >= 120 && falls.samples <= 140, JSON.stringify(falls));
  at = 0;
  assert.deepEqual(pick(warmUp(BUDGET, () => 1_000_000 - 5000 * ++at)), [100, "samples"]);
  assert.deepEqual(pick(warmUp({ ...BUDGET, warm_up_samples: 0 }, () => 1)), [0, "samples"]);
});

const pick = ({ samples, end }) => [samples, end];

test("Mann and Whitney's statistic is that of a known case", () => {
  // U of {1, ..., 5} against {6, ..., 10} is 0: z = -12.5 / sqrt(25 * 11 / 12).
  assert.ok(Math.abs(rankSumZ([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]) + 2.6112) < 1e-4);
  assert.equal(rankSumZ([3, 3], [3, 3]), 0);
  assert.equal(stationary([1000, 1001, 1002], [1001, 1002, 1003]), true);
});
