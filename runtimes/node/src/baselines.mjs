// What scripts/setup --baselines installs: where it is, and what is said when it is not there.

import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { hostFailure } from "./failure.mjs";

/** isobar's own folder. */
export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

export const REMEDY = "scripts/setup --baselines";

const FOLDER = path.join(ROOT, ".tools/baselines");

const require = createRequire(path.join(FOLDER, "package.json"));

/** A package's module, loaded when it is first asked for. */
export function load(name) {
  try {
    return require(name);
  } catch (error) {
    throw hostFailure(`the package ${name} cannot be loaded (${error.message.split("\n")[0]}); ${REMEDY}`);
  }
}

/** The version of an installed package, or null. */
export function version(name) {
  try {
    return JSON.parse(fs.readFileSync(path.join(FOLDER, "node_modules", name, "package.json"), "utf8")).version;
  } catch {
    return null;
  }
}

/** A program of a package. */
export const program = (file) => path.join(FOLDER, "node_modules", file);
