// A WebAssembly function as a program of Node.js: node process-wasi.mjs MODULE [ARGUMENT]...

import fs from "node:fs";
import { WASI } from "node:wasi";

const [path, ...args] = process.argv.slice(2);
const wasi = new WASI({ version: "preview1", args: ["function", ...args], env: process.env, returnOnExit: false });
const module = new WebAssembly.Module(fs.readFileSync(path));
wasi.start(new WebAssembly.Instance(module, wasi.getImportObject()));
