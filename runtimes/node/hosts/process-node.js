// The function as a program of Node.js or Bun.

import fs from "node:fs";
import main from "function";
import { bind, run } from "./std.js";

const CHUNK_BYTES = 65_536;

// Written when the function has ended or enough has come together, as by C's stdio.
const waiting = [null, [], []];
const lengths = [0, 0, 0];

function flush(fd) {
  const bytes = Buffer.concat(waiting[fd].splice(0).map((part) => Buffer.from(part)));
  lengths[fd] = 0;
  for (let at = 0; at < bytes.length;) at += fs.writeSync(fd, bytes, at);
}

function read(into) {
  try {
    return fs.readSync(0, into, 0, into.length, null);
  } catch (error) {
    if (error.code === "EOF") return 0;
    throw error;
  }
}

bind({
  env: (name) => process.env[name],
  text: () => fs.readFileSync(0, "utf8"),
  read,
  write(fd, part) {
    waiting[fd].push(part);
    lengths[fd] += part.length;
    if (lengths[fd] >= CHUNK_BYTES) flush(fd);
  },
});
const code = run(main);
flush(1);
flush(2);
process.exit(code);
