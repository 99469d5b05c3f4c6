// V8 as a WebAssembly runtime: one Node.js process, a module compiled once, a fresh instance for every invocation.

import { WASI } from "node:wasi";
import v8 from "node:v8";
import { OutputLimit, Wasi } from "../hosts/wasi.js";
import { crashed, outOfMemory, outputLimit, trapped, unlinked } from "./failure.mjs";
import { closeInput, closeOutput, openInput, openOutput, readOutput } from "./streams.mjs";
import { trapKind } from "./trap.mjs";
import { PAGE_BYTES, checkImports, compile, proposals, readModule } from "./wasm.mjs";
import { writeArtifact } from "./artifact.mjs";

const PROGRAM_NAME = "function";
const WASI_MODULE = "wasi_snapshot_preview1";
const MOST_PAGES = 65_536;
const [ERRNO_SUCCESS, ERRNO_BADF] = [0, 8];

// One thread at a time compiles, as in all runtimes.
const COMPILE_TASKS = "--wasm-num-compilation-tasks=1";

/** V8's tiers, by flags that hold for what is compiled after they are set. */
const TIERS = {
  wasi: {
    flags: ["--liftoff", "--wasm-tier-up", "--wasm-dynamic-tiering", "--wasm-lazy-compilation"],
    compiler: "Liftoff when a function is first called, TurboFan for the hot ones: V8's default",
  },
  "wasi-liftoff": {
    flags: ["--liftoff", "--no-wasm-tier-up", "--no-wasm-dynamic-tiering", "--no-wasm-lazy-compilation"],
    compiler: "Liftoff, all of it when the module is loaded",
  },
  "wasi-turbofan": {
    flags: ["--no-liftoff", "--no-wasm-tier-up", "--no-wasm-dynamic-tiering", "--no-wasm-lazy-compilation"],
    compiler: "TurboFan, all of it when the module is loaded",
  },
};

const SCENARIOS = ["cold", "warm", "throughput", "density"];

/** The runtimes: each tier, with node:wasi and with WASI in JavaScript. */
export function nodeWasi() {
  const enabled = proposals();
  return Object.keys(TIERS).flatMap((mode) => [runtime(mode, enabled, false), runtime(mode, enabled, true)]);
}

function runtime(mode, enabled, inJavascript) {
  const wasi = inJavascript
    ? "isobar's own, in JavaScript, streams in memory"
    : `node:wasi (uvwasi ${process.versions.uvwasi ?? ""})`.replace(" )", ")");
  const streams = inJavascript
    ? "copied out of the function's memory by JavaScript: no system call"
    : "node:wasi knows descriptors only: files in memory (/dev/shm), emptied after use; at each invocation fstat, read and " +
      "ftruncate for each stream that was written, and open, write and close for an input";
  const info = {
    id: `node/${mode}${inJavascript ? "+js-wasi" : ""}`,
    version: process.versions.node,
    wasi,
    execution: "jit",
    concurrent: false,
    enforcement: { wall_time: "process", memory: "engine", stack: "engine" },
    proposals: enabled,
    scenarios: SCENARIOS,
    settings: {
      V8: process.versions.v8,
      compiler: TIERS[mode].compiler,
      "compile threads": "1",
      streams,
      load: "each module gets a custom section of its own, for V8 has the code of a module that it knows at hand",
      release: "by V8's collector, when it wants to: its pauses are in the samples",
      memory: "by --wasm-max-mem-pages; a trap in a memory of more than half of the limit counts as a refusal",
      "JavaScript API": "functions of the host have no types; null entries and wrong signatures are one trap",
    },
  };
  return { info, engine: () => new Engine(TIERS[mode].flags, enabled, inJavascript ? JsInstance : NodeInstance) };
}

class Engine {
  #enabled;
  #Instance;

  constructor(flags, enabled, Instance) {
    for (const flag of [COMPILE_TASKS, ...flags]) v8.setFlagsFromString(flag);
    this.#enabled = enabled;
    this.#Instance = Instance;
  }

  compile(wasm, artifact) {
    writeArtifact(artifact, readModule(wasm));
  }

  load(artifact) {
    return new Module(compile(readModule(artifact), this.#enabled), this.#Instance);
  }

  release() {}
}

class Module {
  #module;
  #Instance;

  constructor(module, Instance) {
    this.#module = module;
    this.#Instance = Instance;
  }

  instantiate(invocation) {
    return new this.#Instance(this.#module, invocation);
  }

  release() {
    this.#module = null;
  }
}

let allowedPages = MOST_PAGES;

function allow(limits) {
  const pages = Math.min(MOST_PAGES, Math.floor(limits.memory_bytes / PAGE_BYTES));
  if (pages === allowedPages) return;
  v8.setFlagsFromString(`--wasm-max-mem-pages=${pages}`);
  allowedPages = pages;
}

function link(module, imports, limits, stderr) {
  allow(limits);
  try {
    return new WebAssembly.Instance(module, { [WASI_MODULE]: imports });
  } catch (error) {
    if (error instanceof WebAssembly.LinkError || error instanceof TypeError) {
      checkImports(module, { [WASI_MODULE]: imports });
      throw unlinked(error.message);
    }
    // More than the limit, or than there is.
    if (error instanceof RangeError && /memory/i.test(error.message)) throw outOfMemory(limits);
    throw failureOf(error, null, limits, stderr);
  }
}

function checkStart(module) {
  const start = WebAssembly.Module.exports(module).find(({ name }) => name === "_start");
  if (start?.kind !== "function") throw unlinked("_start is not exported as a function");
}

function failureOf(error, memory, limits, stderr) {
  if (error instanceof OutputLimit) return outputLimit(limits);
  const kind = trapKind(error);
  if (kind === null) return error instanceof Error ? crashed(error.message) : trapped("other", String(error), stderr());
  if (kind === "unreachable" && memory && memory.buffer.byteLength * 2 > limits.memory_bytes)
    return outOfMemory(limits);
  return trapped(kind, error.message, stderr());
}

// Node.js and V8 want exports; a module without a memory has none to give.
const startable = ({ exports }) => ({
  exports: { _start: exports._start, memory: exports.memory ?? new WebAssembly.Memory({ initial: 0 }) },
});

function checkParameters(instance) {
  if (instance.exports._start.length !== 0) throw unlinked("_start has parameters or results");
}

/** An object with these properties in this order: plain objects put names that are numbers first. */
function ordered(pairs) {
  if (pairs.every(([name]) => !/^(\d+|__proto__)$/.test(name))) return Object.fromEntries(pairs);
  const values = new Map(pairs);
  return new Proxy(
    {},
    {
      ownKeys: () => [...values.keys()],
      get: (_, name) => values.get(name),
      getOwnPropertyDescriptor: (_, name) =>
        values.has(name) ? { value: values.get(name), enumerable: true, configurable: true } : undefined,
    },
  );
}

/** With node:wasi. */
class NodeInstance {
  #wasi;
  #instance;
  #limits;
  #fds;

  constructor(module, { args, env, stdin, limits }) {
    checkStart(module);
    const fds = { stdin: openInput(stdin), stdout: openOutput(), stderr: openOutput() };
    this.#fds = fds;
    this.#limits = limits;
    try {
      const wasi = new WASI({
        version: "preview1",
        args: [PROGRAM_NAME, ...args],
        env: ordered(env),
        ...fds,
        returnOnExit: true,
      });
      this.#wasi = wasi;
      const imports = { ...wasi.wasiImport, ...mended(env) };
      imports.fd_write = bounded(wasi, limits, () => this.#instance.exports.memory);
      this.#instance = link(module, imports, limits, () => readOutput(fds.stderr));
      checkParameters(this.#instance);
    } catch (error) {
      this.release();
      throw error;
    }
  }

  execute() {
    const { stdout, stderr } = this.#fds;
    let exit_code;
    try {
      exit_code = this.#wasi.start(startable(this.#instance));
    } catch (error) {
      throw failureOf(error, this.#instance.exports.memory, this.#limits, () => readOutput(stderr));
    }
    return { exit_code, stdout: readOutput(stdout), stderr: readOutput(stderr) };
  }

  release() {
    if (!this.#fds) return;
    const { stdin, stdout, stderr } = this.#fds;
    this.#fds = null;
    this.#instance = this.#wasi = null;
    closeInput(stdin);
    closeOutput(stdout);
    closeOutput(stderr);
  }
}

/** What node:wasi of Node.js 20 does wrong: sock_accept on a descriptor that is no socket ends the process, and an empty
 *  environment is refused. */
const mended = (env) => ({
  sock_accept: () => ERRNO_BADF,
  ...(env.length === 0 ? { environ_get: () => ERRNO_SUCCESS } : {}),
});

/** node:wasi's fd_write, for as much as may be written to each stream. */
function bounded(wasi, limits, memory) {
  const write = wasi.wasiImport.fd_write;
  const left = [Infinity, limits.output_bytes, limits.output_bytes];
  return (fd, iovs, count, written) => {
    const view = new DataView(memory().buffer);
    for (let i = 0; i < count; i++) left[fd] -= view.getUint32((iovs >>> 0) + 8 * i + 4, true);
    if (left[fd] < 0) throw new OutputLimit();
    return write(fd, iovs, count, written);
  };
}

// Nobody ever wakes it.
const sleeper = new Int32Array(new SharedArrayBuffer(4));
const sleep = (ms) => Atomics.wait(sleeper, 0, 0, ms);

/** With WASI in JavaScript. */
class JsInstance {
  #wasi;
  #instance;
  #limits;

  constructor(module, { args, env, stdin, limits }) {
    checkStart(module);
    this.#limits = limits;
    this.#wasi = new Wasi({
      args: [PROGRAM_NAME, ...args],
      env: env.map(([name, value]) => `${name}=${value}`),
      stdin,
      outputLimit: limits.output_bytes,
      sleep,
    });
    this.#instance = link(module, this.#wasi.imports, limits, () => Buffer.concat(this.#wasi.written(2)));
    checkParameters(this.#instance);
  }

  execute() {
    const wasi = this.#wasi;
    let exit_code;
    try {
      exit_code = wasi.start(this.#instance);
    } catch (error) {
      throw failureOf(error, this.#instance.exports.memory, this.#limits, () => Buffer.concat(wasi.written(2)));
    }
    return { exit_code, stdout: Buffer.concat(wasi.written(1)), stderr: Buffer.concat(wasi.written(2)) };
  }

  release() {
    this.#wasi = this.#instance = null;
  }
}
