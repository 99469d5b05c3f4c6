// An invocation as it comes over the protocol, checked.

import { hostFailure } from "./failure.mjs";

const DEFAULT_LIMITS = { wall_time_ns: 60_000_000_000, memory_bytes: 1 << 30, output_bytes: 16 << 20 };

/** The invocation with its input as bytes and everything that was left out filled in. */
export function readInvocation({ args = [], env = [], stdin = "", limits = {} }) {
  args.forEach((arg, index) => {
    if (arg.includes("\0")) throw hostFailure(`argument ${index + 1} holds a NUL character`);
  });
  for (const [name, value] of env) {
    if (name === "" || /[=\0]/.test(name)) {
      throw hostFailure(`${JSON.stringify(name)} cannot name an environment variable`);
    }
    if (value.includes("\0")) throw hostFailure(`the environment variable ${name} holds a NUL character`);
  }
  return { args, env, stdin: Buffer.from(stdin, "base64"), limits: { ...DEFAULT_LIMITS, ...limits } };
}

/** An outcome for the protocol. */
export const writeOutcome = ({ exit_code, stdout, stderr }) => ({
  exit_code,
  stdout: stdout.toString("base64"),
  stderr: stderr.toString("base64"),
});
