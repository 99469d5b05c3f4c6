// WebAssembly modules for V8: reading them, and saying what is wrong with them in the protocol's words.

import fs from "node:fs";
import * as baselines from "./baselines.mjs";
import { hostFailure, rejected, unlinked } from "./failure.mjs";

export const PAGE_BYTES = 65_536;

const MAGIC = Buffer.from("\0asm");
const PREAMBLE_BYTES = 8;

// What every V8 has that Node.js 20 or a newer one brings.
const ALWAYS = [
  "mutable-global",
  "sign-extension",
  "saturating-float-to-int",
  "multi-value",
  "bulk-memory",
  "reference-types",
  "simd",
  "threads",
  "legacy-exceptions",
];

// For each further proposal a module, without its preamble, that is valid only where the engine has it. Of exceptions it is
// a `throw`: V8 had those before `try_table`.
const PROBES = {
  "relaxed-simd": "0105016000017b030201000a0f010d004100fd114100fd11fd80020b",
  "tail-call": "010401600000030201000a0601040012000b",
  "extended-const": "0609017f00410041006a0b",
  "multi-memory": "05050200000000",
  memory64: "0503010400",
  exceptions: "010401600000030201000d030100000a0601040008000b",
  "function-references": "0109026000006001630000030201010a08010600200014000b",
  gc: "0108026000005f017f00030201000a0a0108004100fb00011a0b",
};

// What V8 says of a module that needs a proposal which it does not have.
const COMPLAINTS = [
  [/memory count of|multiple memories/i, "multi-memory"],
  [/memory limits flags|memory64/i, "memory64"],
  [/invalid numeric opcode:? 0xfc1[3-6]/i, "wide-arithmetic"],
  [/opcode:? 0x1f\b|exnref/i, "exceptions"],
  [/type (code|form):? (0x5f|0x5e|0x50|0x4e|0x4f)|wasm-gc/i, "gc"],
  [/opcode:? 0x1[45]\b|typed.funcref|stringview_wtf8ref/i, "function-references"],
  [/relaxed-simd/i, "relaxed-simd"],
  [/constant expression|extended-const/i, "extended-const"],
  [/opcode:? 0x1[23]\b|return-call/i, "tail-call"],
];

const probe = (hex) => Buffer.concat([MAGIC, Buffer.from("01000000", "hex"), Buffer.from(hex, "hex")]);

/** The proposals that this engine has. */
export const proposals = () => [
  ...ALWAYS,
  ...Object.keys(PROBES).filter((name) => WebAssembly.validate(probe(PROBES[name]))),
];

/** Reads a module, binary or text, as the binary. */
export function readModule(file) {
  let bytes;
  try {
    bytes = fs.readFileSync(file);
  } catch (error) {
    throw hostFailure(`cannot read ${file}: ${error.message}`);
  }
  if (bytes.subarray(0, MAGIC.length).equals(MAGIC)) return bytes;
  const text = bytes.toString("utf8");
  if (text.trim() === "" || text.includes("\0") || !Buffer.from(text).equals(bytes)) {
    throw rejected("neither a WebAssembly binary nor WebAssembly text");
  }
  return assemble(file, text);
}

let assembler;

/** Starts the assembler if the file may be WebAssembly text: its package does that asynchronously only. */
export async function prepareText(file) {
  if (assembler || file === undefined || baselines.version("wabt") === null || startsAsBinary(file)) return;
  assembler = await baselines.load("wabt")();
}

function startsAsBinary(file) {
  try {
    const [fd, start] = [fs.openSync(file, "r"), Buffer.alloc(MAGIC.length)];
    fs.readSync(fd, start);
    fs.closeSync(fd);
    return start.equals(MAGIC);
  } catch {
    // Whoever reads it will say.
    return true;
  }
}

function assemble(file, text) {
  if (!assembler)
    throw hostFailure(`${file} is WebAssembly text, and wabt, which assembles it, is not here; ${baselines.REMEDY}`);
  let module;
  try {
    const features = Object.fromEntries(Object.keys(assembler.FEATURES).map((name) => [name, true]));
    module = assembler.parseWat(file, text, features);
    return Buffer.from(module.toBinary({ write_debug_names: true }).buffer);
  } catch (error) {
    throw rejected(`malformed WebAssembly text: ${error.message.replace(/^parseWat failed:\s*/, "").split("\n")[0]}`);
  } finally {
    module?.destroy();
  }
}

/** V8's refusal of a module as a rejection that names what the module needs. */
export function explainRejection(bytes, enabled, message) {
  // The "layer" half-word of the preamble: 0 for a core module, 1 for a component.
  if (bytes.length >= PREAMBLE_BYTES && bytes.readUInt16LE(6) === 1) {
    return rejected("a component, where a module is wanted: build for wasm32-wasip1");
  }
  const missing = COMPLAINTS.filter(([pattern, name]) => pattern.test(message) && !enabled.includes(name));
  return rejected(
    message,
    missing.slice(0, 1).map(([, name]) => name),
  );
}

/** Compiles a module.
 *
 *  V8 gives a module the code of an equal one that it has compiled before and not yet dropped. An empty custom section with
 *  a number in it makes every module unlike all others, so that loading one is work. */
export function compile(bytes, enabled) {
  const unlike = Buffer.concat([bytes, section(`isobar ${serial++}`)]);
  try {
    return new WebAssembly.Module(unlike);
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) throw explainRejection(bytes, enabled, error.message);
    throw error;
  }
}

let serial = 0;

function section(name) {
  return Buffer.concat([Buffer.from([0, name.length + 1, name.length]), Buffer.from(name)]);
}

/** The first import that nobody provides, as a failure. */
export function checkImports(module, provided) {
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (kind === "function" && typeof provided[from]?.[name] === "function") continue;
    throw unlinked(`there is no ${kind} ${from}.${name}`);
  }
}
