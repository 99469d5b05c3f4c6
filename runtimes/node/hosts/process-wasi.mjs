// A WebAssembly function as a program of Node.js: node process-wasi.mjs MODULE [ARGUMENT]...

import fs from "node:fs";
import { WASI } from "node:wasi";

// As an aborted program has it: not one that a function ends with by chance.
const GAVE_UP = 134;

const [path, ...args] = process.argv.slice(2);
try {
  // `returnOnExit`: a process that is ended from within the function, while V8 compiles it once more, crashes now and then.
  const wasi = new WASI({ version: "preview1", args: ["function", ...args], env: process.env, returnOnExit: true });
  const module = new WebAssembly.Module(fs.readFileSync(path));
  process.exitCode = wasi.start(new WebAssembly.Instance(module, wasi.getImportObject()));
} catch (error) {
  fs.writeSync(2, `${error.name}: ${error.message}\n`);
  process.exit(GAVE_UP);
}
