// V8 isolates and contexts: isolated-vm in one Node.js process.

import { writeArtifact } from "./artifact.mjs";
import * as baselines from "./baselines.mjs";
import { compile, load } from "./bundle.mjs";
import { outOfMemory, outputLimit, rejected, timedOut, trapped } from "./failure.mjs";

const MIB = 1 << 20;
// isolated-vm takes no less.
const LEAST_MIB = 8;
const MOST_MIB = 1 << 16;
const CONTEXTS_MIB = 1024;
const MS_NS = 1e6;
const FILE = "function.js";
const NOTHING = new ArrayBuffer(0);

const SCENARIOS = ["cold", "warm", "throughput", "density"];

let ivm;

/** The runtimes: a fresh isolate for each invocation, with nothing prepared or with V8's code cache; and a fresh context in
 *  one isolate. There is none with a snapshot of the evaluated script: functions in one of isolated-vm 5 forget what is
 *  declared around them. */
export function isolates() {
  return [
    ["node/isolate", "each invocation compiles the script", () => new IsolateEngine((script) => ({ script }))],
    [
      "node/isolate+code-cache",
      "V8's code cache of the script, made when it is loaded",
      () => new IsolateEngine(withCache),
    ],
    ["node/context", "compiled once in the isolate that all contexts share", () => new ContextEngine()],
  ].map(([id, script, engine]) => ({ info: describe(id, script), engine: () => (start(), engine()) }));
}

function start() {
  ivm ??= baselines.load("isolated-vm");
}

function describe(id, script) {
  const shared = id === "node/context";
  return {
    id,
    version: `${process.versions.v8} (isolated-vm ${baselines.version("isolated-vm")}, Node.js ${process.versions.node})`,
    wasi: "none: the environment, standard input and output are values that are copied in and out",
    execution: "jit",
    concurrent: false,
    class: "isolate",
    form: "javascript",
    enforcement: { wall_time: "engine", memory: "engine", stack: "engine" },
    proposals: [],
    scenarios: SCENARIOS,
    settings: {
      script,
      memory: shared ? `${CONTEXTS_MIB} MiB for all contexts together` : `the limit, at least ${LEAST_MIB} MiB`,
      bundle: "one file by esbuild, which is no part of a measurement",
    },
  };
}

const memoryLimit = ({ memory_bytes }) => Math.min(MOST_MIB, Math.max(LEAST_MIB, Math.floor(memory_bytes / MIB)));

/** The failure that an error of isolated-vm's stands for. */
function failureOf(error, isolate, limits) {
  if (/timed out/.test(error.message)) return timedOut(limits);
  if (isolate.isDisposed || /allocation failed|memory limit/i.test(error.message)) return outOfMemory(limits);
  if (error instanceof RangeError && /call stack/.test(error.message)) return trapped("stack-overflow", error.message);
  return trapped("other", error.message);
}

function check(script) {
  const isolate = new ivm.Isolate({ memoryLimit: MOST_MIB });
  try {
    return isolate.compileScriptSync(script, { filename: FILE, produceCachedData: true }).cachedData;
  } catch (error) {
    throw rejected(error.message);
  } finally {
    isolate.dispose();
  }
}

const withCache = (script) => ({ script, cachedData: check(script) });

class IsolateEngine {
  #prepare;

  constructor(prepare) {
    this.#prepare = prepare;
  }

  compile(source, artifact) {
    compile("isolate", source, artifact);
  }

  /** Of a source that would be its bundle: elsewhere its imports are not there. */
  copy(artifact, to) {
    writeArtifact(to, load("isolate", artifact));
  }

  load(artifact) {
    const prepared = this.#prepare(load("isolate", artifact));
    return { instantiate: (invocation) => new FreshIsolate(prepared, invocation), release() {} };
  }

  release() {}
}

class FreshIsolate {
  #isolate;
  #call;

  constructor({ script, cachedData }, invocation) {
    const isolate = new ivm.Isolate({ memoryLimit: memoryLimit(invocation.limits) });
    this.#isolate = isolate;
    try {
      const context = isolate.createContextSync();
      isolate.compileScriptSync(script, { filename: FILE, cachedData }).runSync(context);
      this.#call = new Call(isolate, context, invocation);
    } catch (error) {
      const failure = failureOf(error, isolate, invocation.limits);
      this.release();
      throw failure;
    }
  }

  execute() {
    return this.#call.execute();
  }

  release() {
    if (this.#isolate && !this.#isolate.isDisposed) this.#isolate.dispose();
    this.#isolate = null;
  }
}

class ContextEngine {
  #isolate = new ivm.Isolate({ memoryLimit: CONTEXTS_MIB });

  compile(source, artifact) {
    compile("isolate", source, artifact);
  }

  /** Of a source that would be its bundle: elsewhere its imports are not there. */
  copy(artifact, to) {
    writeArtifact(to, load("isolate", artifact));
  }

  load(artifact) {
    const isolate = this.#isolate;
    let script;
    try {
      script = isolate.compileScriptSync(load("isolate", artifact), { filename: FILE });
    } catch (error) {
      if (error.error) throw error;
      throw rejected(error.message);
    }
    return {
      instantiate: (invocation) => new FreshContext(isolate, script, invocation),
      release: () => script.release(),
    };
  }

  release() {
    if (!this.#isolate.isDisposed) this.#isolate.dispose();
  }
}

class FreshContext {
  #isolate;
  #context;
  #call;

  constructor(isolate, script, invocation) {
    this.#isolate = isolate;
    try {
      this.#context = isolate.createContextSync();
      script.runSync(this.#context);
      this.#call = new Call(isolate, this.#context, invocation);
    } catch (error) {
      const failure = failureOf(error, isolate, invocation.limits);
      this.release();
      throw failure;
    }
  }

  execute() {
    return this.#call.execute();
  }

  release() {
    if (!this.#isolate.isDisposed) {
      this.#call?.release();
      this.#context?.release();
    }
    this.#call = this.#context = null;
  }
}

/** The function in a context, and what it is called with. */
class Call {
  #isolate;
  #invoke;
  #arguments;
  #limits;

  constructor(isolate, context, { env, stdin, limits }) {
    this.#isolate = isolate;
    this.#limits = limits;
    this.#invoke = context.global.getSync("isobar", { reference: true });
    const copy = (value) => new ivm.ExternalCopy(value).copyInto({ release: true });
    const bytes = stdin.length === 0 ? NOTHING : new Uint8Array(stdin).buffer;
    const decode = new ivm.Callback(() => stdin.toString("utf8"));
    this.#arguments = [copy(env), copy(bytes), decode, limits.output_bytes];
  }

  execute() {
    const limits = this.#limits;
    let answer;
    try {
      const timeout = Math.ceil(limits.wall_time_ns / MS_NS);
      answer = this.#invoke.applySync(undefined, this.#arguments, { timeout, result: { copy: true } });
    } catch (error) {
      throw failureOf(error, this.#isolate, limits);
    }
    const [exit_code, stdout, stderr] = answer;
    const bytes = [stdout, stderr].map((parts) => Buffer.concat(parts.map((part) => Buffer.from(part))));
    if (exit_code === null || bytes.some((stream) => stream.length > limits.output_bytes)) throw outputLimit(limits);
    return { exit_code, stdout: bytes[0], stderr: bytes[1] };
  }

  release() {
    this.#invoke.release();
  }
}
