// What functions use of newer JavaScript than some engines have, by ECMA-262 of 2025 and 2026. A bundle has this only for
// an engine that lacks one of them.

function define(object, name, value) {
  if (!(name in object)) Object.defineProperty(object, name, { value, configurable: true, writable: true });
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const CODES = Uint8Array.from(DIGITS, (digit) => digit.charCodeAt(0));
const PADDING = "=".charCodeAt(0);
const NO_DIGIT = 255;
const VALUES = new Uint8Array(128).fill(NO_DIGIT);
CODES.forEach((code, value) => (VALUES[code] = value));
// A multiple of 3, and few enough for the arguments of a call.
const CHUNK_BYTES = 12_288;
const HEXADECIMAL = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

define(Uint8Array.prototype, "toHex", function toHex() {
  let text = "";
  for (const byte of this) text += HEXADECIMAL[byte];
  return text;
});

define(Uint8Array.prototype, "toBase64", function toBase64() {
  const { length } = this;
  let text = "";
  for (let from = 0; from < length; from += CHUNK_BYTES) {
    const end = Math.min(length, from + CHUNK_BYTES);
    const codes = new Uint8Array(Math.ceil((end - from) / 3) * 4);
    for (let at = from, to = 0; at < end; at += 3, to += 4) {
      const [a, b, c] = [this[at], at + 1 < end ? this[at + 1] : 0, at + 2 < end ? this[at + 2] : 0];
      codes[to] = CODES[a >> 2];
      codes[to + 1] = CODES[((a & 3) << 4) | (b >> 4)];
      codes[to + 2] = at + 1 < end ? CODES[((b & 15) << 2) | (c >> 6)] : PADDING;
      codes[to + 3] = at + 2 < end ? CODES[c & 63] : PADDING;
    }
    text += String.fromCharCode(...codes);
  }
  return text;
});

// With lastChunkHandling "strict" only, which is how the functions call it; white space is for them to refuse.
define(Uint8Array, "fromBase64", function fromBase64(text) {
  if (text.length % 4 !== 0) throw new SyntaxError("the last chunk is incomplete");
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  const digits = text.length - padding;
  let [bits, count, to] = [0, 0, 0];
  for (let at = 0; at < digits; at++) {
    const value = VALUES[text.charCodeAt(at)];
    if (value === undefined || value === NO_DIGIT) throw new SyntaxError("a character is none of Base64");
    bits = ((bits << 6) | value) & 0xffff;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes[to++] = bits >> count;
  }
  if ((bits & ((1 << count) - 1)) !== 0) throw new SyntaxError("there are bits behind the last byte");
  return bytes;
});

const iterators = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));

define(iterators, "take", function* take(most) {
  for (let left = most; left > 0; left--) {
    const { value, done } = this.next();
    if (done) return;
    yield value;
  }
  this.return?.();
});
