// Copies standard input to standard output.

import { write } from "../common/input";

const buffer = new ArrayBuffer(65536);
for (;;) {
  const length = process.stdin.read(buffer);
  if (length == 0) break;
  write(buffer, length);
}
