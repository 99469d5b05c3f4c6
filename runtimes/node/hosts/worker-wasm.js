// A WebAssembly function as a worker: a fresh instance for each request.

import module from "./function.wasm";
import { OutputLimit, Wasi } from "./wasi.js";

const NOTHING = new Uint8Array();

function joined(parts) {
  if (parts.length === 1) return parts[0];
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function sleep() {
  throw new Error("a worker cannot wait");
}

export default {
  async fetch(request, { OUTPUT_BYTES, ARGS }) {
    const stdin = request.method === "POST" ? new Uint8Array(await request.arrayBuffer()) : NOTHING;
    const env = [...new URL(request.url).searchParams].map(([name, value]) => `${name}=${value}`);
    const args = ["function", ...JSON.parse(ARGS)];
    const wasi = new Wasi({ args, env, stdin, outputLimit: Number(OUTPUT_BYTES), sleep });
    try {
      const code = wasi.start(new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi.imports }));
      if (code !== 0) return new Response(`exit code ${code}\n`, { status: 500 });
      return new Response(joined(wasi.written(1)), { headers: { "content-type": "text/plain; charset=utf-8" } });
    } catch (error) {
      const what = error instanceof OutputLimit ? "the output limit is reached" : error.message;
      return new Response(`${what}\n`, { status: 500 });
    }
  },
};
