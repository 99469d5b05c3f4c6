// Where node:wasi's functions read and write: descriptors of files in memory that have no name.

import fs from "node:fs";
import os from "node:os";

const { O_APPEND, O_RDWR } = fs.constants;
// Not among Node.js' constants; the value is that of Linux on every architecture that it runs Node.js on.
const O_TMPFILE = 0o20200000;
const MEMORY = fs.existsSync("/dev/shm") ? "/dev/shm" : os.tmpdir();
const NOTHING = Buffer.alloc(0);

const temporary = (flags) => fs.openSync(MEMORY, O_TMPFILE | O_RDWR | flags, 0o600);

let nothing;

/** Standard input with these bytes. */
export function openInput(bytes) {
  if (bytes.length === 0) return (nothing ??= fs.openSync("/dev/null", "r"));
  const fd = temporary(0);
  for (let at = 0; at < bytes.length;) at += fs.writeSync(fd, bytes, at, bytes.length - at, at);
  return fd;
}

export function closeInput(fd) {
  if (fd !== nothing) fs.closeSync(fd);
}

// Emptied files are used again: whoever writes appends, so where an earlier function stopped does not matter.
const free = [];

/** An empty file for output. */
export const openOutput = () => free.pop() ?? temporary(O_APPEND);

/** All that was written. */
export function readOutput(fd) {
  const { size } = fs.fstatSync(fd);
  if (size === 0) return NOTHING;
  const bytes = Buffer.allocUnsafe(size);
  for (let at = 0; at < size;) {
    const read = fs.readSync(fd, bytes, at, size - at, at);
    if (read === 0) return bytes.subarray(0, at);
    at += read;
  }
  return bytes;
}

export function closeOutput(fd) {
  fs.ftruncateSync(fd, 0);
  free.push(fd);
}
