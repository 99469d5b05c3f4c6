// What the AssemblyScript functions share: a strict reading of the environment and of standard input, and one way to
// refuse it.

import { fd_write } from "bindings/wasi_snapshot_preview1";

const BAD_INPUT: i32 = 2;
const CHUNK: i32 = 65536;

/** Ends the program with one line, which says what is wrong with a variable or with standard input. */
export function refuse(variable: string, what: string): void {
  process.stderr.write(variable + ": " + what + "\n");
  process.exit(BAD_INPUT);
}

/** A variable that must be there, possibly empty. */
export function text(variable: string): string {
  if (!process.env.has(variable)) refuse(variable, "is not set");
  return process.env.get(variable);
}

/** A variable that must be a whole number from `least` to `most`, in digits only. */
export function number(variable: string, least: u64, most: u64): u64 {
  const digits = text(variable);
  let value: u64 = 0;
  let valid = digits.length > 0;
  for (let i = 0; i < digits.length && valid; ++i) {
    const digit = <u64>(digits.charCodeAt(i) - 0x30);
    valid = digit < 10 && digit <= most && value <= (most - digit) / 10;
    value = value * 10 + digit;
  }
  if (!valid || value < least) {
    refuse(variable, "is not a whole number from " + least.toString() + " to " + most.toString());
  }
  return value;
}

/** How many times the work is to be done: the variable ITERATIONS, or once. */
export function iterations(): u64 {
  return process.env.has("ITERATIONS") ? number("ITERATIONS", 1, u64.MAX_VALUE) : 1;
}

/** All of standard input. */
export function read(): ArrayBuffer {
  let buffer = new ArrayBuffer(CHUNK);
  let length = 0;
  for (let more = process.stdin.read(buffer); more > 0; more = process.stdin.read(buffer, length)) {
    length += more;
    if (length == buffer.byteLength) {
      const larger = new ArrayBuffer(2 * length);
      memory.copy(changetype<usize>(larger), changetype<usize>(buffer), length);
      buffer = larger;
    }
  }
  return buffer.slice(0, length);
}

/** Writes the first `length` bytes to standard output; the shim's `write` would stop after the host's first piece. */
export function write(bytes: ArrayBuffer, length: i32 = bytes.byteLength): void {
  const io = new StaticArray<usize>(3);
  for (let done = 0; done < length; ) {
    io[0] = changetype<usize>(bytes) + done;
    io[1] = length - done;
    const at = changetype<usize>(io);
    if (fd_write(1, at, 1, at + 2 * sizeof<usize>()) != 0) throw new Error("standard output cannot be written");
    done += <i32>io[2];
  }
}

/** Writes a text to standard output. */
export function print(text: string): void {
  write(String.UTF8.encode(text));
}
