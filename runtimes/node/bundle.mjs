// Bundles a function's source for a host: node bundle.mjs HOST SOURCE ARTIFACT. For runners that are no JavaScript.

import { compile, hosts } from "./src/bundle.mjs";

const [host, source, artifact] = process.argv.slice(2);
if (!hosts.includes(host) || !source || !artifact) {
  process.stderr.write(`usage: node bundle.mjs HOST SOURCE ARTIFACT, where HOST is one of ${hosts.join(", ")}\n`);
  process.exit(2);
}
try {
  compile(host, source, artifact);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
