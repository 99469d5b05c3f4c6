// Counts the lines of standard input that contain WORD.

import { print, readText, text } from "input";

function count(text, word) {
  const lines = text.split("\n");
  // Behind the last newline there is no line.
  if (lines.at(-1) === "") lines.pop();
  return lines.filter((line) => line.includes(word)).length;
}

export default function () {
  const word = text("WORD");
  print(`${count(readText(), word)}\n`);
}
