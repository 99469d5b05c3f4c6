// WASI preview 1 in JavaScript, as a worker needs it: arguments, an environment, standard streams in memory, clocks and
// random numbers; no files and no network. For hosts that have no WASI of their own.

const ERRNO = { SUCCESS: 0, BADF: 8, FAULT: 21, INVAL: 28, NOSYS: 52, NOTSUP: 58, SPIPE: 70, NOTCAPABLE: 76 };
const CLOCK_REALTIME = 0;
const CLOCK_LAST = 3;
const CHARACTER_DEVICE = 2;
const RIGHT_READ = 2n;
const RIGHT_WRITE = 64n;
const RANDOM_CHUNK = 65536;
const [EVENT_CLOCK, SUBSCRIPTION_BYTES, EVENT_BYTES] = [0, 48, 32];
const ABSOLUTE = 1;
const NS_PER_MS = 1_000_000n;

const encoder = new TextEncoder();

/** Thrown through the function when it calls proc_exit. */
export class Exit {
  constructor(code) {
    this.code = code;
  }
}

/** Thrown through the function when it writes more than it may. */
export class OutputLimit {}

/** The functions that exist, with what they say when they are not allowed. */
const ABSENT = {
  fd_advise: ERRNO.BADF,
  fd_allocate: ERRNO.BADF,
  fd_datasync: ERRNO.BADF,
  fd_fdstat_set_rights: ERRNO.BADF,
  fd_filestat_set_size: ERRNO.BADF,
  fd_filestat_set_times: ERRNO.BADF,
  fd_pread: ERRNO.SPIPE,
  fd_pwrite: ERRNO.SPIPE,
  fd_readdir: ERRNO.BADF,
  fd_renumber: ERRNO.BADF,
  fd_sync: ERRNO.BADF,
  fd_prestat_dir_name: ERRNO.BADF,
  path_create_directory: ERRNO.BADF,
  path_filestat_get: ERRNO.BADF,
  path_filestat_set_times: ERRNO.BADF,
  path_link: ERRNO.BADF,
  path_open: ERRNO.BADF,
  path_readlink: ERRNO.BADF,
  path_remove_directory: ERRNO.BADF,
  path_rename: ERRNO.BADF,
  path_symlink: ERRNO.BADF,
  path_unlink_file: ERRNO.BADF,
  proc_raise: ERRNO.NOSYS,
  sock_accept: ERRNO.BADF,
  sock_recv: ERRNO.BADF,
  sock_send: ERRNO.BADF,
  sock_shutdown: ERRNO.BADF,
};

/** WASI for one invocation. */
export class Wasi {
  #args;
  #env;
  #stdin;
  #read = 0;
  #written = [null, [], []];
  #lengths = [0, 0, 0];
  #limit;
  #sleep;
  #memory = null;
  #view = null;

  /** `args` and `env` as lists of texts, `env` of NAME=value; `stdin` as bytes; `sleep` waits for so many milliseconds. */
  constructor({ args, env, stdin, outputLimit, sleep }) {
    this.#args = args.map((arg) => encoder.encode(`${arg}\0`));
    this.#env = env.map((variable) => encoder.encode(`${variable}\0`));
    this.#stdin = stdin;
    this.#limit = outputLimit;
    this.#sleep = sleep;
    this.imports = {};
    for (const [name, errno] of Object.entries(ABSENT)) this.imports[name] = () => errno;
    for (const name of IMPORTS) this.imports[name] = this[name].bind(this);
  }

  /** Runs `_start` of an instance: its exit code. What is thrown is a trap, or OutputLimit. */
  start(instance) {
    this.#memory = instance.exports.memory ?? null;
    try {
      instance.exports._start();
      return 0;
    } catch (error) {
      if (error instanceof Exit) return error.code;
      throw error;
    }
  }

  /** What was written to standard output (1) or standard error (2), as a list of byte arrays. */
  written(fd) {
    return this.#written[fd];
  }

  // A memory that grows has a new buffer.
  get #data() {
    const { buffer } = this.#memory;
    if (this.#view?.buffer !== buffer) this.#view = new DataView(buffer);
    return this.#view;
  }

  #bytes(at, length) {
    return new Uint8Array(this.#memory.buffer, at >>> 0, length >>> 0);
  }

  #texts(texts, pointers, at) {
    for (const text of texts) {
      this.#data.setUint32(pointers, at, true);
      this.#bytes(at, text.length).set(text);
      pointers += 4;
      at += text.length;
    }
    return ERRNO.SUCCESS;
  }

  #sizes(texts, count, bytes) {
    this.#data.setUint32(count, texts.length, true);
    this.#data.setUint32(
      bytes,
      texts.reduce((sum, text) => sum + text.length, 0),
      true,
    );
    return ERRNO.SUCCESS;
  }

  args_get(pointers, at) {
    return this.#texts(this.#args, pointers, at);
  }

  args_sizes_get(count, bytes) {
    return this.#sizes(this.#args, count, bytes);
  }

  environ_get(pointers, at) {
    return this.#texts(this.#env, pointers, at);
  }

  environ_sizes_get(count, bytes) {
    return this.#sizes(this.#env, count, bytes);
  }

  clock_res_get(clock, at) {
    if (clock < 0 || clock > CLOCK_LAST) return ERRNO.INVAL;
    this.#data.setBigUint64(at, 1000n, true);
    return ERRNO.SUCCESS;
  }

  clock_time_get(clock, _precision, at) {
    if (clock < 0 || clock > CLOCK_LAST) return ERRNO.INVAL;
    this.#data.setBigUint64(at, time(clock), true);
    return ERRNO.SUCCESS;
  }

  fd_close(fd) {
    return fd >= 0 && fd <= 2 ? ERRNO.SUCCESS : ERRNO.BADF;
  }

  fd_fdstat_get(fd, at) {
    if (fd < 0 || fd > 2) return ERRNO.BADF;
    this.#bytes(at, 24).fill(0);
    this.#data.setUint8(at, CHARACTER_DEVICE);
    this.#data.setBigUint64(at + 8, fd === 0 ? RIGHT_READ : RIGHT_WRITE, true);
    return ERRNO.SUCCESS;
  }

  fd_fdstat_set_flags(fd) {
    return fd >= 0 && fd <= 2 ? ERRNO.SUCCESS : ERRNO.BADF;
  }

  fd_filestat_get(fd, at) {
    if (fd < 0 || fd > 2) return ERRNO.BADF;
    this.#bytes(at, 64).fill(0);
    this.#data.setUint8(at + 16, CHARACTER_DEVICE);
    return ERRNO.SUCCESS;
  }

  fd_prestat_get() {
    return ERRNO.BADF;
  }

  fd_seek(fd) {
    return fd >= 0 && fd <= 2 ? ERRNO.SPIPE : ERRNO.BADF;
  }

  fd_tell(fd) {
    return this.fd_seek(fd);
  }

  fd_read(fd, iovs, count, at) {
    if (fd !== 0) return ERRNO.BADF;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const [from, length] = [this.#data.getUint32(iovs + 8 * i, true), this.#data.getUint32(iovs + 8 * i + 4, true)];
      const part = this.#stdin.subarray(this.#read, this.#read + length);
      this.#bytes(from, part.length).set(part);
      this.#read += part.length;
      sum += part.length;
    }
    this.#data.setUint32(at, sum, true);
    return ERRNO.SUCCESS;
  }

  fd_write(fd, iovs, count, at) {
    if (fd !== 1 && fd !== 2) return ERRNO.BADF;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const [from, length] = [this.#data.getUint32(iovs + 8 * i, true), this.#data.getUint32(iovs + 8 * i + 4, true)];
      if (length === 0) continue;
      this.#lengths[fd] += length;
      if (this.#lengths[fd] > this.#limit) throw new OutputLimit();
      this.#written[fd].push(this.#bytes(from, length).slice());
      sum += length;
    }
    this.#data.setUint32(at, sum, true);
    return ERRNO.SUCCESS;
  }

  /** Waits for the clock that ends first; a stream is always ready. */
  poll_oneoff(from, to, count, at) {
    if (count <= 0) return ERRNO.INVAL;
    const subscriptions = Array.from({ length: count }, (_, i) => this.#subscription(from + SUBSCRIPTION_BYTES * i));
    const wait = subscriptions.reduce((least, { delay }) => (delay < least ? delay : least), subscriptions[0].delay);
    if (wait > 0n) this.#sleep(Number(wait) / Number(NS_PER_MS));
    let events = 0;
    for (const { user, errno, type, delay } of subscriptions) {
      if (delay > wait) continue;
      const event = to + EVENT_BYTES * events++;
      this.#bytes(event, EVENT_BYTES).fill(0);
      this.#data.setBigUint64(event, user, true);
      this.#data.setUint16(event + 8, errno, true);
      this.#data.setUint8(event + 10, type);
    }
    this.#data.setUint32(at, events, true);
    return ERRNO.SUCCESS;
  }

  #subscription(at) {
    const data = this.#data;
    const [user, type] = [data.getBigUint64(at, true), data.getUint8(at + 8)];
    if (type !== EVENT_CLOCK) {
      const fd = data.getUint32(at + 16, true);
      return { user, type, delay: 0n, errno: fd <= 2 ? ERRNO.SUCCESS : ERRNO.BADF };
    }
    const [clock, timeout] = [data.getUint32(at + 16, true), data.getBigUint64(at + 24, true)];
    if (clock > CLOCK_LAST) return { user, type, delay: 0n, errno: ERRNO.INVAL };
    const absolute = data.getUint16(at + 40, true) & ABSOLUTE;
    const left = absolute ? timeout - time(clock) : timeout;
    return { user, type, delay: left > 0n ? left : 0n, errno: ERRNO.SUCCESS };
  }

  proc_exit(code) {
    throw new Exit(code);
  }

  random_get(at, length) {
    for (let done = 0; done < length; done += RANDOM_CHUNK) {
      crypto.getRandomValues(this.#bytes(at + done, Math.min(RANDOM_CHUNK, length - done)));
    }
    return ERRNO.SUCCESS;
  }

  sched_yield() {
    return ERRNO.SUCCESS;
  }
}

const IMPORTS = Object.getOwnPropertyNames(Wasi.prototype).filter((name) => /^[a-z]+_/.test(name));

function time(clock) {
  const ms = clock === CLOCK_REALTIME ? performance.timeOrigin + performance.now() : performance.now();
  return BigInt(Math.round(ms * 1e6));
}
