// The measuring loops: what a sample is in each scenario, as in isobar_core's runner. They run beside the engine that they
// measure; every answer is checked before its time counts.

import fs from "node:fs";
import path from "node:path";
import { between, now, sample, warmUp } from "./budget.mjs";
import { checker } from "./expectation.mjs";
import { hostFailure } from "./failure.mjs";
import { pssBytes, startReadings } from "./readings.mjs";
import { removeFolder, temporaryFolder } from "./temporary.mjs";

const NO_WARM_UP = { samples: 0, elapsed_ns: 0, end: "none" };

// Instances, and modules after them, may grow by so much each, in bytes; less where there is not four times that.
const DENSITY_BYTES = 2 ** 30;

// So many instances are made and released before the first one that counts.
const UNCOUNTED = 16;

// A measurement of throughput is cut into so many trials, each of which gives one rate.
const TRIALS = 5;

const SCENARIOS = { cold, warm, throughput, density };

/** Measures a function in a runtime. */
export function measure(runtime, scenario, task, budget) {
  const loop = SCENARIOS[scenario.scenario];
  if (!loop || !runtime.info.scenarios.includes(scenario.scenario)) {
    throw hostFailure(`${runtime.info.id} is not measured in the scenario ${scenario.scenario}`);
  }
  if ((scenario.threads ?? 1) !== 1) throw hostFailure(`${runtime.info.id} runs functions on one thread`);
  return loop(runtime, task, budget, checker(task.expectation));
}

/** Every sample starts from nothing but the stored artifact. */
function cold(runtime, task, budget, check) {
  const names = ["engine_ns", "load_ns", "instantiate_ns", "execute_ns", "teardown_ns"];
  let resident;
  const take = () => {
    resident?.module.release();
    resident?.engine.release();
    const start = now();
    const engine = runtime.engine();
    const created = now();
    const module = engine.load(task.artifact);
    const loaded = now();
    const instance = module.instantiate(task.invocation);
    const instantiated = now();
    const outcome = instance.execute();
    const executed = now();
    instance.release();
    const released = now();
    check(outcome);
    resident = { engine, module };
    const times = [start, created, loaded, instantiated, executed, released];
    return names.map((_, phase) => between(times[phase], times[phase + 1]));
  };
  return { warm_up: NO_WARM_UP, ...sample(budget, names, take) };
}

/** One warm invocation: the times of its phases, its answer checked. */
function invoke(module, invocation, check) {
  const start = now();
  const instance = module.instantiate(invocation);
  const instantiated = now();
  const outcome = instance.execute();
  const executed = now();
  instance.release();
  const released = now();
  check(outcome);
  return [between(start, instantiated), between(instantiated, executed), between(executed, released)];
}

/** The module is resident; every sample is a fresh sandbox. */
function warm(runtime, task, budget, check) {
  const module = runtime.engine().load(task.artifact);
  const once = () => invoke(module, task.invocation, check);
  const warm_up = warmUp(budget, () => once().reduce((sum, ns) => sum + ns, 0));
  return { warm_up, ...sample(budget, ["instantiate_ns", "execute_ns", "teardown_ns"], once) };
}

/** Warm invocations one after the other. */
function throughput(runtime, task, budget, check) {
  const module = runtime.engine().load(task.artifact);
  const once = () => invoke(module, task.invocation, check);
  const warm_up = warmUp(budget, () => once().reduce((sum, ns) => sum + ns, 0));
  const [completed, elapsed] = [[], []];
  const readings = startReadings();
  const start = now();
  while (completed.length < TRIALS && (completed.length === 0 || between(start, now()) < budget.time_ns)) {
    const [trial, length] = [now(), budget.time_ns / TRIALS];
    let count = 0;
    let ns;
    do {
      once();
      count++;
      ns = between(trial, now());
    } while (ns < length);
    completed.push(count);
    elapsed.push(ns);
  }
  const stop = completed.length === TRIALS ? "samples" : "time";
  const all = completed.reduce((sum, count) => sum + count, 0);
  return { samples: { completed, elapsed_ns: elapsed }, warm_up, stop, readings: readings(all) };
}

/** What live instances and resident modules weigh. */
function density(runtime, task, budget, check) {
  const readings = startReadings();
  const engine = runtime.engine();
  const module = engine.load(task.artifact);
  const live = () => {
    const instance = module.instantiate(task.invocation);
    check(instance.execute());
    return instance;
  };
  // What the engine compiles and collects of the first ones is not theirs.
  for (let i = 0; i < UNCOUNTED; i++) live().release();
  const instances = grow(budget, live);
  const folder = temporaryFolder();
  try {
    const modules = grow(budget, () => loadCopy(engine, task.artifact, folder));
    const samples = {
      instances: instances.counts,
      instances_pss_bytes: instances.pss,
      modules: modules.counts,
      modules_pss_bytes: modules.pss,
    };
    return { samples, warm_up: NO_WARM_UP, stop: instances.stop, readings: readings(instances.things.length) };
  } finally {
    removeFolder(folder);
  }
}

/** Makes things and keeps them, doubling their number, and reads the memory at each doubling. What garbage there is, is
 *  collected first: it would be counted as theirs. */
function grow(budget, make) {
  const available = Number(/^MemAvailable:\s*(\d+)/m.exec(fs.readFileSync("/proc/meminfo", "utf8"))?.[1] ?? 0) * 1024;
  const room = Math.min(DENSITY_BYTES, available / 4);
  const start = now();
  const grown = { things: [make()], counts: [], pss: [], stop: "samples" };
  for (;;) {
    globalThis.gc?.();
    const pss = pssBytes();
    if (pss === undefined) throw hostFailure("the system does not tell a process' PSS");
    grown.counts.push(grown.things.length);
    grown.pss.push(pss);
    const next = grown.things.length * 2;
    if (next > budget.max_samples) return grown;
    const doubled = Math.max(0, pss - grown.pss[0]) * 2;
    const enough = grown.things.length >= budget.min_samples;
    if (enough && (between(start, now()) >= budget.time_ns || doubled >= room)) {
      grown.stop = "time";
      return grown;
    }
    while (grown.things.length < next) grown.things.push(make());
  }
}

/** Loads an artifact from a file of its own, as the artifacts of different functions are. */
function loadCopy(engine, artifact, folder) {
  const copy = path.join(folder, path.basename(artifact));
  if (engine.copy) engine.copy(artifact, copy);
  else fs.copyFileSync(artifact, copy);
  return engine.load(copy);
}
