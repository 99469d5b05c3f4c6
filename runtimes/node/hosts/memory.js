// Streams and an environment that are in memory.

/** A host for std.js. Output is a list of texts and byte arrays for each stream; `decode` makes a text of the input. */
export class Memory {
  output = [null, [], []];
  /** Whether the function wrote more than it may; what it wrote behind that is dropped. */
  overflowed = false;
  #env;
  #stdin;
  #decode;
  #left;
  #at = 0;

  constructor(env, stdin, decode, limit) {
    this.#env = env;
    this.#stdin = stdin;
    this.#decode = decode;
    this.#left = [0, limit, limit];
  }

  env(name) {
    return this.#env.get(name);
  }

  text() {
    const text = this.#at === 0 ? this.#decode(this.#stdin) : "";
    this.#at = this.#stdin.length;
    return text;
  }

  read(into) {
    const part = this.#stdin.subarray(this.#at, this.#at + into.length);
    into.set(part);
    this.#at += part.length;
    return part.length;
  }

  write(fd, what) {
    this.#left[fd] -= what.length;
    if (this.#left[fd] < 0) {
      this.overflowed = true;
      throw new Error("the output limit is reached");
    }
    this.output[fd].push(what);
  }
}
