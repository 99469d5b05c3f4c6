// The function as a program of Deno.

import main from "function";
import { bind, run } from "./std.js";

const CHUNK_BYTES = 65_536;

const encoder = new TextEncoder();
const streams = [null, Deno.stdout, Deno.stderr];
const waiting = [null, [], []];
const lengths = [0, 0, 0];

function flush(fd) {
  for (const part of waiting[fd].splice(0)) {
    const bytes = typeof part === "string" ? encoder.encode(part) : part;
    for (let at = 0; at < bytes.length;) at += streams[fd].writeSync(bytes.subarray(at));
  }
  lengths[fd] = 0;
}

function text() {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const chunk = new Uint8Array(CHUNK_BYTES);
  let text = "";
  for (let length; (length = Deno.stdin.readSync(chunk)) !== null;) {
    text += decoder.decode(chunk.subarray(0, length), { stream: true });
  }
  return text + decoder.decode();
}

bind({
  env: (name) => Deno.env.get(name),
  text,
  read: (into) => Deno.stdin.readSync(into) ?? 0,
  write(fd, part) {
    // Texts are joined: one write for each costs more than they do.
    const parts = waiting[fd];
    if (typeof part === "string" && typeof parts.at(-1) === "string") parts.push(parts.pop() + part);
    else parts.push(part);
    lengths[fd] += part.length;
    if (lengths[fd] >= CHUNK_BYTES) flush(fd);
  },
});
const code = run(main);
flush(1);
flush(2);
Deno.exit(code);
