// A function's source in JavaScript as one file for a host: what a platform makes of it when it is deployed.

import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { writeArtifact } from "./artifact.mjs";
import * as baselines from "./baselines.mjs";
import { hostFailure, rejected } from "./failure.mjs";

const HOSTS = fileURLToPath(new URL("../hosts", import.meta.url));

/** How a bundle starts, by its host, so that it is not taken for a source. */
const banner = (host) => `// isobar: a bundle for ${host}`;

// What a source may use that is newer than an engine; see hosts/polyfill.js.
const NEWER = /\.(toHex|toBase64|fromBase64|take)\(/;
const complete = () => "toHex" in Uint8Array.prototype && "fromBase64" in Uint8Array && "Iterator" in globalThis;

/** The hosts: their module, the format of the bundle, and whether their engine is that of this Node.js. */
const FORMATS = {
  isolate: { entry: "isolate.js", format: "iife", own: true },
  node: { entry: "process-node.js", format: "cjs", own: true },
  bun: { entry: "process-node.js", format: "esm" },
  deno: { entry: "process-deno.js", format: "esm" },
  worker: { entry: "worker.js", format: "esm" },
  "worker-wasm": { entry: "worker-wasm.js", format: "esm" },
  server: { entry: "server.js", format: "esm", own: true },
};

export const hosts = Object.keys(FORMATS);

/** What the names in a function's imports mean. */
function aliases(source) {
  const common = path.resolve(path.dirname(source), "../common/input.js");
  const input = fs.existsSync(common) ? { input: common } : {};
  return { function: path.resolve(source), std: path.join(HOSTS, "std.js"), ...input };
}

/** The bundle of a source for a host, as text. A host of WebAssembly has no source. */
export function bundle(host, source) {
  const { entry, format, own } = FORMATS[host];
  const polyfill = own && source && !complete() && NEWER.test(readSource(source));
  try {
    const { outputFiles } = baselines.load("esbuild").buildSync({
      entryPoints: [path.join(HOSTS, entry)],
      bundle: true,
      write: false,
      format,
      alias: source ? aliases(source) : {},
      platform: "neutral",
      external: ["node:*", "*.wasm"],
      banner: { js: banner(host) },
      inject: [...(polyfill ? ["polyfill.js"] : []), ...(source ? ["console.js"] : [])].map((file) =>
        path.join(HOSTS, file),
      ),
      charset: "utf8",
      legalComments: "none",
      logLevel: "silent",
    });
    return outputFiles[0].text;
  } catch (error) {
    const [first] = error.errors ?? [];
    if (!first) throw error;
    const place = first.location ? `${first.location.file}:${first.location.line}: ` : "";
    throw rejected(`${place}${first.text}`);
  }
}

function readSource(file) {
  let text;
  try {
    text = fs.readFileSync(file, "utf8");
  } catch (error) {
    throw hostFailure(`cannot read ${file}: ${error.message}`);
  }
  if (text.includes("\0")) throw rejected("not a text, where a script is wanted");
  return text;
}

/** Makes the bundle of a source, as an artifact. */
export function compile(host, source, artifact) {
  readSource(source);
  writeArtifact(artifact, bundle(host, source));
}

/** Reads a bundle; of a source, it is made first. */
export function load(host, artifact) {
  const text = readSource(artifact);
  return text.startsWith(banner(host)) ? text : bundle(host, artifact);
}
