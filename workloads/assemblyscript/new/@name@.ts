// Counts the lines of standard input that contain WORD.

import { print, read, text } from "../common/input";

function count(text: string, word: string): i32 {
  const lines = text.split("\n");
  // Behind the last newline there is no line.
  const end = lines[lines.length - 1].length == 0 ? lines.length - 1 : lines.length;
  let found = 0;
  for (let i = 0; i < end; ++i) {
    if (lines[i].includes(word)) ++found;
  }
  return found;
}

const word = text("WORD");
print(`${count(String.UTF8.decode(read()), word)}\n`);
