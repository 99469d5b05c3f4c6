import fs from "node:fs";
import { hostFailure } from "./failure.mjs";

/** Writes an artifact, so that a reader finds all of it or nothing. */
export function writeArtifact(file, bytes) {
  const partial = `${file}.partial-${process.pid}`;
  try {
    fs.writeFileSync(partial, bytes);
    fs.renameSync(partial, file);
  } catch (error) {
    throw hostFailure(`cannot write the artifact ${file}: ${error.message}`);
  }
}
