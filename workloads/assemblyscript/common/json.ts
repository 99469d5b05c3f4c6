// Reads JSON (RFC 8259) from its beginning to its end. Whatever is wrong ends the program.

import { refuse } from "./input";

const DEEPEST: i32 = 1000;

// Characters.
const QUOTE: i32 = 0x22;
const MINUS: i32 = 0x2d;
const ZERO: i32 = 0x30;
const BACKSLASH: i32 = 0x5c;

export class Reader {
  private at: i32 = 0;
  private depth: i32 = 0;

  constructor(private text: string) {}

  /** The beginning of an array ("[") or of an object ("{"). */
  open(bracket: string): void {
    this.space();
    this.expect(bracket);
    if (++this.depth > DEEPEST) this.fail("it is nested too deeply");
  }

  /** Whether another element or member follows; takes the comma before it, or the closing bracket. */
  more(bracket: string, first: bool): bool {
    this.space();
    if (this.skip(bracket)) {
      --this.depth;
      return false;
    }
    if (!first) {
      this.expect(",");
      this.space();
    }
    return true;
  }

  /** The name of a member, and its colon. */
  name(): string {
    const name = this.string();
    this.space();
    this.expect(":");
    return name;
  }

  string(): string {
    this.space();
    this.expect('"');
    let text = "";
    let from = this.at;
    for (let code = this.peek(); code != QUOTE; code = this.peek()) {
      if (code < 0x20) this.fail("a string does not end, or has a control character");
      if (code == BACKSLASH) {
        text += this.text.substring(from, this.at++) + this.escape();
        from = this.at;
      } else {
        ++this.at;
      }
    }
    return text + this.text.substring(from, this.at++);
  }

  /** A whole number from 0 to `most`, written as digits only. */
  whole(most: u64): u64 {
    this.space();
    const from = this.at;
    let value: u64 = 0;
    for (let digit = this.digit(); digit >= 0 && value <= most; digit = this.digit()) value = value * 10 + digit;
    const length = this.at - from;
    const leading = length > 1 && this.text.charCodeAt(from) == ZERO;
    const next = this.peek();
    if (length == 0 || leading || value > most || next == 0x2e || (next | 0x20) == 0x65) {
      this.fail("it is not a whole number from 0 to " + most.toString());
    }
    return value;
  }

  /** Any value. */
  skipValue(): void {
    this.space();
    const char = this.text.charAt(this.at);
    if (char == "{") {
      this.open("{");
      for (let first = true; this.more("}", first); first = false) {
        this.name();
        this.skipValue();
      }
    } else if (char == "[") {
      this.open("[");
      for (let first = true; this.more("]", first); first = false) this.skipValue();
    } else if (char == '"') {
      this.string();
    } else if (!this.skip("true") && !this.skip("false") && !this.skip("null")) {
      this.number();
    }
  }

  /** Nothing but white space is left. */
  end(): void {
    this.space();
    if (this.at < this.text.length) this.fail("something stands behind the document");
  }

  fail(what: string): void {
    refuse("standard input", "character " + this.at.toString() + ": " + what);
  }

  /** The code of the next character, or -1. */
  private peek(): i32 {
    return this.at < this.text.length ? this.text.charCodeAt(this.at) : -1;
  }

  private space(): void {
    for (;;) {
      const code = this.peek();
      if (code != 0x20 && code != 0x0a && code != 0x0d && code != 0x09) return;
      ++this.at;
    }
  }

  private skip(word: string): bool {
    if (!this.text.startsWith(word, this.at)) return false;
    this.at += word.length;
    return true;
  }

  private expect(word: string): void {
    if (!this.skip(word)) this.fail("`" + word + "` is missing");
  }

  /** The next digit, or -1. */
  private digit(): i32 {
    const digit = this.peek() - ZERO;
    if (digit < 0 || digit > 9) return -1;
    ++this.at;
    return digit;
  }

  private digits(): void {
    if (this.digit() < 0) this.fail("a digit is missing");
    while (this.digit() >= 0) {}
  }

  private number(): void {
    if (this.peek() == MINUS) ++this.at;
    if (this.peek() == ZERO) ++this.at;
    else this.digits();
    if (this.skip(".")) this.digits();
    if (this.skip("e") || this.skip("E")) {
      if (!this.skip("+")) this.skip("-");
      this.digits();
    }
  }

  private escape(): string {
    const char = this.text.charAt(this.at++);
    if (char == '"' || char == "\\" || char == "/") return char;
    if (char == "b") return "\b";
    if (char == "f") return "\f";
    if (char == "n") return "\n";
    if (char == "r") return "\r";
    if (char == "t") return "\t";
    if (char != "u") this.fail("there is no such escape");
    return String.fromCharCode(this.hexadecimal());
  }

  private hexadecimal(): i32 {
    let value = 0;
    for (let i = 0; i < 4; ++i) {
      const code = this.peek();
      const letter = (code | 0x20) - 0x61;
      if (code >= ZERO && code < ZERO + 10) value = value << 4 | (code - ZERO);
      else if (letter >= 0 && letter < 6) value = value << 4 | (letter + 10);
      else this.fail("a hexadecimal digit is missing");
      ++this.at;
    }
    return value;
  }
}

/** A text as a string of JSON, with no more escapes than needed. */
export function quoted(text: string): string {
  let out = '"';
  let from = 0;
  for (let i = 0; i < text.length; ++i) {
    const code = text.charCodeAt(i);
    if (code >= 0x20 && code != QUOTE && code != BACKSLASH) continue;
    out += text.substring(from, i);
    out += code < 0x20 ? "\\u" + code.toString(16).padStart(4, "0") : "\\" + text.charAt(i);
    from = i + 1;
  }
  return out + text.substring(from) + '"';
}
