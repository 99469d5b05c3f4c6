// A function's invocation by an HTTP request: the query is its environment, the body its standard input.

import main from "function";
import { Memory } from "./memory.js";
import { bind, run } from "./std.js";

const encoder = new TextEncoder();

/** Answers a request: the status and the body, the function's standard output. */
export function answer(url, body, limit) {
  const env = new Map(new URL(url, "http://localhost").searchParams);
  const decode = (bytes) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  const memory = new Memory(env, body, decode, limit);
  bind(memory);
  const code = run(main);
  if (memory.overflowed) return [500, "the output limit is reached\n"];
  if (code !== 0) return [500, `exit code ${code}\n`];
  const output = memory.output[1];
  return [200, output.every((part) => typeof part === "string") ? output.join("") : joined(output)];
}

function joined(parts) {
  const bytes = parts.map((part) => (typeof part === "string" ? encoder.encode(part) : part));
  const all = new Uint8Array(bytes.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of bytes) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
