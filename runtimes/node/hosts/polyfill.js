// What functions use of newer JavaScript than some engines have, by ECMA-262 of 2025 and 2026. A bundle has this only for
// an engine that lacks one of them.

function define(object, name, value) {
  if (!(name in object)) Object.defineProperty(object, name, { value, configurable: true, writable: true });
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const HEXADECIMAL = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

define(Uint8Array.prototype, "toHex", function toHex() {
  let text = "";
  for (const byte of this) text += HEXADECIMAL[byte];
  return text;
});

define(Uint8Array.prototype, "toBase64", function toBase64() {
  let text = "";
  const { length } = this;
  for (let at = 0; at < length; at += 3) {
    const [a, b, c] = [this[at], this[at + 1] ?? 0, this[at + 2] ?? 0];
    text += DIGITS[a >> 2] + DIGITS[((a & 3) << 4) | (b >> 4)];
    text += at + 1 < length ? DIGITS[((b & 15) << 2) | (c >> 6)] : "=";
    text += at + 2 < length ? DIGITS[c & 63] : "=";
  }
  return text;
});

// With lastChunkHandling "strict" only, which is how the functions call it; white space is for them to refuse.
define(Uint8Array, "fromBase64", function fromBase64(text) {
  if (text.length % 4 !== 0) throw new SyntaxError("the last chunk is incomplete");
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  const digits = text.length - padding;
  let bits = 0;
  for (let at = 0, to = 0; at < digits; at++) {
    const value = DIGITS.indexOf(text[at]);
    if (value < 0) throw new SyntaxError("a character is none of Base64");
    bits = (bits << 6) | value;
    if (at % 4 === 0) continue;
    bytes[to++] = bits >> (6 - 2 * (at % 4));
    bits &= (1 << (6 - 2 * (at % 4))) - 1;
  }
  if (bits !== 0) throw new SyntaxError("there are bits behind the last byte");
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
