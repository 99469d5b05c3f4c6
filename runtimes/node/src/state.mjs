// What the runner holds between requests, and how it answers them.

import { hostFailure } from "./failure.mjs";
import { readInvocation, writeOutcome } from "./invocation.mjs";
import { runtimes } from "./runtimes.mjs";
import { prepareText } from "./wasm.mjs";

const PROTOCOL = 2;
const VERSION = "1.0.0";

// V8 frees what was released when it collects garbage, which it does when it has to: between requests nobody waits.
const RELEASES_PER_COLLECTION = 50;

const now = process.hrtime.bigint;
const since = (start) => Number(now() - start);

export class State {
  #runtimes;
  #absent;
  #engine = null;
  #handles = new Map();
  #lastHandle = 0;
  #releases = 0;

  constructor() {
    ({ runtimes: this.#runtimes, absent: this.#absent } = runtimes());
  }

  /** Answers a request, or throws what is wrong. */
  async answer(request) {
    await prepareText(request.wasm ?? request.artifact ?? request.task?.artifact);
    switch (request.op) {
      case "describe":
        return this.#describe();
      case "engine":
        return this.#start(this.#find(request.runtime));
      case "compile":
        return this.#timed(() => this.#current().compile(request.wasm, request.artifact));
      case "load":
        return this.#make("module", () => this.#current().load(request.artifact));
      case "instantiate": {
        const module = this.#handle(request.module, "module");
        const invocation = readInvocation(request.invocation);
        return this.#make("instance", () => module.instantiate(invocation));
      }
      case "execute": {
        const instance = this.#handle(request.instance, "instance");
        const start = now();
        const outcome = instance.execute();
        return { reply: "executed", elapsed_ns: since(start), outcome: writeOutcome(outcome) };
      }
      case "release":
        return this.#release(request.handle);
      case "run":
        return this.#run(this.#find(request.runtime), request.artifact, readInvocation(request.invocation));
      case "serve":
        return this.#serve(this.#find(request.runtime), request.artifact, readInvocation(request.invocation));
      case "measure": {
        // Not before it is needed: every `isobar list` waits for the runner's start.
        const { measure } = await import("./measure.mjs");
        const { scenario, task, budget } = request;
        const checked = { ...task, invocation: readInvocation(task.invocation) };
        return { reply: "measured", measurement: measure(this.#find(request.runtime), scenario, checked, budget) };
      }
      default:
        throw hostFailure(`the runner does not know the request ${request.op}`);
    }
  }

  /** Ends everything that was started. */
  async close() {
    for (const { thing } of this.#handles.values()) await thing.release();
    this.#handles.clear();
    this.#engine?.release();
    this.#engine = null;
  }

  #describe() {
    const runtimes = this.#runtimes.map(({ info }) => info);
    return { reply: "described", protocol: PROTOCOL, version: VERSION, runtimes, absent: this.#absent };
  }

  #find(id) {
    const found = this.#runtimes.find((runtime) => runtime.info.id === id);
    if (!found) throw hostFailure(`this runner has no runtime ${id}`);
    return found;
  }

  #current() {
    if (!this.#engine) throw hostFailure("no engine was created yet");
    return this.#engine;
  }

  #handle(number, kind) {
    const found = this.#handles.get(number);
    if (found?.kind !== kind) throw hostFailure(`there is no ${kind} with the number ${number}`);
    return found.thing;
  }

  #timed(work) {
    const start = now();
    work();
    return { reply: "done", elapsed_ns: since(start) };
  }

  async #start(runtime) {
    await this.close();
    return this.#timed(() => (this.#engine = runtime.engine()));
  }

  #make(kind, make) {
    const start = now();
    const thing = make();
    return { reply: "made", elapsed_ns: since(start), handle: this.#keep(kind, thing) };
  }

  #keep(kind, thing) {
    this.#handles.set(++this.#lastHandle, { kind, thing });
    return this.#lastHandle;
  }

  async #release(handle) {
    const found = this.#handles.get(handle);
    if (!found) throw hostFailure(`there is nothing with the number ${handle}`);
    this.#handles.delete(handle);
    const start = now();
    await found.thing.release();
    const elapsed_ns = since(start);
    if (++this.#releases % RELEASES_PER_COLLECTION === 0) globalThis.gc?.();
    return { reply: "done", elapsed_ns };
  }

  #run(runtime, artifact, invocation) {
    const start = now();
    const engine = runtime.engine();
    const outcome = engine.load(artifact).instantiate(invocation).execute();
    const elapsed_ns = since(start);
    engine.release();
    return { reply: "executed", elapsed_ns, outcome: writeOutcome(outcome) };
  }

  async #serve(runtime, artifact, invocation) {
    if (!runtime.serve) throw hostFailure(`${runtime.info.id} is no server`);
    const { url, elapsed_ns, server } = await runtime.serve(artifact, invocation);
    return { reply: "serving", handle: this.#keep("server", server), url, elapsed_ns };
  }
}
