// What the system counts beside the samples.

import fs from "node:fs";

const US = 1000;

const kib = (file, key) => {
  const found = new RegExp(`^${key}:\\s*(\\d+) kB$`, "m").exec(file);
  return found ? Number(found[1]) * 1024 : undefined;
};

const rollup = () => fs.readFileSync("/proc/self/smaps_rollup", "utf8");

/** The proportional set size of this process, in bytes. */
export const pssBytes = () => kib(rollup(), "Pss");

/** Begins to count what this process does; the function that it gives ends that. */
export function startReadings() {
  const before = process.resourceUsage();
  return (invocations) => {
    const after = process.resourceUsage();
    const [memory, status] = [rollup(), fs.readFileSync("/proc/self/status", "utf8")];
    const readings = {
      user_ns: (after.userCPUTime - before.userCPUTime) * US,
      system_ns: (after.systemCPUTime - before.systemCPUTime) * US,
      minor_faults: after.minorPageFault - before.minorPageFault,
      major_faults: after.majorPageFault - before.majorPageFault,
      voluntary_context_switches: after.voluntaryContextSwitches - before.voluntaryContextSwitches,
      involuntary_context_switches: after.involuntaryContextSwitches - before.involuntaryContextSwitches,
      peak_rss_bytes: kib(status, "VmHWM"),
      pss_bytes: kib(memory, "Pss"),
      uss_bytes: kib(memory, "Private_Clean") + kib(memory, "Private_Dirty"),
      invocations,
    };
    return Object.fromEntries(Object.entries(readings).filter(([, value]) => Number.isSafeInteger(value)));
  };
}
