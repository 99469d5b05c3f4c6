// What this runner offers on this machine.

import * as baselines from "./baselines.mjs";
import { isolates } from "./isolate.mjs";
import { nodeWasi } from "./node_wasi.mjs";
import { servers } from "./servers.mjs";

/** The runtimes, and those that cannot be here, each with the reason and the remedy. */
export function runtimes() {
  const absent = [];
  const missing = ["esbuild", "isolated-vm"].filter((name) => baselines.version(name) === null);
  if (missing.length > 0) {
    const reason = `${missing.join(" and ")} from npm is not here; ${baselines.REMEDY}`;
    absent.push({ runtime: "node/isolate", reason });
    return { runtimes: nodeWasi(), absent };
  }
  const { runtimes, absent: others } = servers();
  return { runtimes: [...nodeWasi(), ...isolates(), ...runtimes], absent: others };
}
