// The module `std` of QuickJS, as far as the functions use it, over the streams and the environment of a host.

let host;

/** Thrown through the function when it calls exit(). */
export class Exit {
  constructor(code) {
    this.code = code;
  }
}

/** Says what the host is: `env(name)`, `text()`, `read(bytes)` and `write(fd, textOrBytes)`. */
export function bind(to) {
  host = to;
}

/** Runs a function to its end: its exit code. As in QuickJS, an exception that nobody catches is code 1. */
export function run(main) {
  try {
    main();
    return 0;
  } catch (error) {
    if (error instanceof Exit) return error.code;
    host.write(2, `${error?.stack ?? error}\n`);
    return 1;
  }
}

export const getenv = (name) => host.env(name);

export function exit(code) {
  throw new Exit(code);
}

const output = (fd) => ({
  puts: (text) => host.write(fd, String(text)),
  write: (buffer, from, length) => host.write(fd, new Uint8Array(buffer, from, length).slice()),
});

const input = {
  readAsString: () => host.text(),
  read: (buffer, from, length) => host.read(new Uint8Array(buffer, from, length)),
};

export { input as in };
export const out = output(1);
export const err = output(2);

/** Prints its arguments as QuickJS does: as texts, with spaces between them. */
export const console = { log: (...values) => host.write(1, `${values.join(" ")}\n`) };
