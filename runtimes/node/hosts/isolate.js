// The function in a bare V8 context: called once from outside, with all that it gets, and gives all that it answers.

import main from "function";
import { Memory } from "./memory.js";
import { bind, run } from "./std.js";

/** `env` as pairs, `stdin` as an ArrayBuffer, `decode` to make a text of it: the exit code (none if the output limit was
 *  reached) and the two output streams, each as a list of texts and byte arrays. */
globalThis.isobar = function invoke(env, stdin, decode, limit) {
  const memory = new Memory(new Map(env), new Uint8Array(stdin), () => decode(), limit);
  bind(memory);
  const code = run(main);
  return [memory.overflowed ? null : code, memory.output[1], memory.output[2]];
};
