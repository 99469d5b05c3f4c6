// Copies standard input to standard output.

import * as std from "std";

export default function () {
  const buffer = new ArrayBuffer(65536);
  let length;
  while ((length = std.in.read(buffer, 0, buffer.byteLength)) > 0) std.out.write(buffer, 0, length);
}
