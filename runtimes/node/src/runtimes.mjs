// What this runner offers on this machine.

import { isolates } from "./isolate.mjs";
import { nodeWasi } from "./node_wasi.mjs";

export const runtimes = () => [...nodeWasi(), ...isolates()];
