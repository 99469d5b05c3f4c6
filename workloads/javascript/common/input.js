// What the JavaScript functions share: a strict reading of the environment and of standard input, and one way to refuse
// it.

import * as std from "std";

const BAD_INPUT = 2;
const CHUNK = 65536;

/** Ends the program with one line, which says what is wrong with a variable or with standard input. */
export function refuse(variable, what) {
  std.err.puts(`${variable}: ${what}\n`);
  std.exit(BAD_INPUT);
}

/** A variable that must be there, possibly empty. */
export function text(variable) {
  return std.getenv(variable) ?? refuse(variable, "is not set");
}

/** A variable that must be a whole number from `least` to `most`, in digits only. */
export function number(variable, least, most) {
  const digits = text(variable);
  const value = Number(digits);
  if (!/^[0-9]+$/.test(digits) || value < least || value > most) {
    refuse(variable, `${JSON.stringify(digits)} is not a whole number from ${least} to ${most}`);
  }
  return value;
}

/** Calls `work` as often as the variable ITERATIONS says, or once, and gives its last answer. */
export function repeat(work) {
  const times = std.getenv("ITERATIONS") === undefined ? 1 : number("ITERATIONS", 1, Number.MAX_SAFE_INTEGER);
  let answer;
  for (let i = 0; i < times; i++) answer = work();
  return answer;
}

/** Standard input as text. */
export const readText = () => std.in.readAsString();

/** The bytes of standard input. */
export function readBytes() {
  let bytes = new Uint8Array(CHUNK);
  let length = 0;
  for (let more; (more = std.in.read(bytes.buffer, length, bytes.length - length)) > 0; ) {
    length += more;
    if (length === bytes.length) {
      const larger = new Uint8Array(2 * length);
      larger.set(bytes);
      bytes = larger;
    }
  }
  return bytes.subarray(0, length);
}

/** Writes a text to standard output, as it is. */
export const print = (text) => std.out.puts(text);

/** Writes bytes to standard output. */
export const write = (bytes) => std.out.write(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Marsaglia's 32-bit xorshift: a function that gives the next number. */
export function xorshift(seed) {
  let x = seed;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
}
