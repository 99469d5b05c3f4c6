// Encodes standard input as Base64, or decodes it, ITERATIONS times.

import { iterations, read, refuse, text, write } from "../common/input";

const ALPHABET = String.UTF8.encode("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
const PAD: u8 = 0x3d;
const NEWLINE: u8 = 0x0a;
const NONE: u8 = 0xff;

function encode(bytes: Uint8Array): Uint8Array {
  const alphabet = Uint8Array.wrap(ALPHABET);
  const length = bytes.length;
  const out = new Uint8Array((length + 2) / 3 * 4 + 1);
  let at = 0;
  for (let i = 0; i < length; i += 3) {
    const left = length - i;
    let group = <u32>bytes[i] << 16;
    if (left > 1) group |= <u32>bytes[i + 1] << 8;
    if (left > 2) group |= bytes[i + 2];
    out[at++] = alphabet[group >> 18];
    out[at++] = alphabet[group >> 12 & 63];
    out[at++] = left > 1 ? alphabet[group >> 6 & 63] : PAD;
    out[at++] = left > 2 ? alphabet[group & 63] : PAD;
  }
  out[at] = NEWLINE;
  return out;
}

/** The value of each character, NONE for one that is not of the alphabet. */
function values(): StaticArray<u8> {
  const values = new StaticArray<u8>(256).fill(NONE);
  const alphabet = Uint8Array.wrap(ALPHABET);
  for (let i = 0; i < alphabet.length; ++i) values[alphabet[i]] = <u8>i;
  return values;
}

function decode(text: Uint8Array): Uint8Array {
  let length = text.length;
  if (length > 0 && text[length - 1] == NEWLINE) --length;
  if (length % 4 != 0) refuse("standard input", "its length is no multiple of four");
  let padding = 0;
  while (padding < 2 && padding < length && text[length - 1 - padding] == PAD) ++padding;
  const value = values();
  const out = new Uint8Array(length / 4 * 3 - padding);
  let bits: u32 = 0;
  let at = 0;
  for (let i = 0; i < length; ++i) {
    const sextet: u8 = i < length - padding ? value[text[i]] : 0;
    if (sextet == NONE) refuse("standard input", "it has a character that is not of the alphabet, or misplaced padding");
    bits = bits << 6 | sextet;
    if (i % 4 == 3) {
      for (let shift = 16; shift >= 0; shift -= 8) {
        const byte = <u8>(bits >> shift);
        if (at < out.length) out[at++] = byte;
        else if (byte != 0) refuse("standard input", "the bits behind the last byte are not zero");
      }
    }
  }
  return out;
}

const mode = text("MODE");
if (mode != "encode" && mode != "decode") refuse("MODE", "is neither `encode` nor `decode`");
const times = iterations();
const input = Uint8Array.wrap(read());
let answer = new Uint8Array(0);
for (let i = times; i > 0; --i) answer = mode == "encode" ? encode(input) : decode(input);
write(answer.buffer);
