// Encodes standard input as Base64, or decodes it, ITERATIONS times.

import { print, readBytes, refuse, repeat, text, write } from "input";

const NEWLINE = 0x0a;

/** The text without one newline at its end. Only ASCII is Base64, so a byte is a character. */
function characters(bytes) {
  const length = bytes.at(-1) === NEWLINE ? bytes.length - 1 : bytes.length;
  let text = "";
  for (let i = 0; i < length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, Math.min(i + 4096, length)));
  return text;
}

function decode(bytes) {
  const text = characters(bytes);
  // The library skips white space.
  if (/\s/.test(text)) refuse("standard input", "it has white space");
  try {
    return Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
  } catch (error) {
    return refuse("standard input", error.message);
  }
}

export default function () {
  const mode = text("MODE");
  if (mode !== "encode" && mode !== "decode") refuse("MODE", "is neither `encode` nor `decode`");
  let input;
  const bytes = () => (input ??= readBytes());
  if (mode === "encode") print(repeat(() => `${bytes().toBase64()}\n`));
  else write(repeat(() => decode(bytes())));
}
