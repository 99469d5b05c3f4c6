// The answer that a function must give for a measurement to count.

import { createHash } from "node:crypto";
import { wrongAnswer } from "./failure.mjs";

const SHOWN_BYTES = 60;

function excerpt(bytes) {
  const more = bytes.length > SHOWN_BYTES ? `... (${bytes.length} bytes)` : "";
  return `${JSON.stringify(bytes.toString("utf8", 0, SHOWN_BYTES))}${more}`;
}

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** What a rule for standard output makes of some bytes: null, or what was wanted instead. */
function stdoutRule(rule) {
  if (rule === "any") return () => null;
  if (rule.exact !== undefined) {
    const wanted = Buffer.from(rule.exact, "base64");
    return (got) => (wanted.equals(got) ? null : `${excerpt(got)} instead of ${excerpt(wanted)}`);
  }
  if (rule.prefix !== undefined) {
    const wanted = Buffer.from(rule.prefix, "base64");
    const starts = (got) => got.length >= wanted.length && wanted.equals(got.subarray(0, wanted.length));
    return (got) => (starts(got) ? null : `${excerpt(got)} instead of something that starts with ${excerpt(wanted)}`);
  }
  return (got) => {
    const sum = sha256(got);
    return sum === rule.sha256 ? null : `${excerpt(got)} with SHA-256 ${sum} instead of ${rule.sha256}`;
  };
}

/** A function that throws when an outcome is not the expected one. */
export function checker({ exit_code: wanted, stdout }) {
  const mismatch = stdoutRule(stdout);
  return (outcome) => {
    if (outcome.exit_code !== wanted) {
      const said = excerpt(outcome.stderr);
      throw wrongAnswer(`exit code ${outcome.exit_code} instead of ${wanted}, standard error ${said}`);
    }
    const problem = mismatch(outcome.stdout);
    if (problem !== null) throw wrongAnswer(problem);
  };
}
