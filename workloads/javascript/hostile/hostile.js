// Tries what a function must not do: the one thing that ATTEMPT names. Nothing here goes on for ever, even where nobody
// stops it. What an engine does not have is not there: everything is looked for when it is needed.

import { number, print, refuse, text } from "input";
import * as std from "std";

const CANARY = "ISOBAR_CANARY";
const MARKER = "isobarMarker";
const MIB = 1 << 20;
const MOST_MIB = 65536;
const MOST_MS = 20_000;
const MOST_CALLS = 10_000_000;
const MOST_CHILDREN = 8;

class Denied extends Error {}

const deny = (why) => {
  throw new Denied(why);
};

/** Node.js' `process`, or what others have in its place: as a global, or behind a function that the host left within
 *  reach, whose constructor makes functions of the host's own realm. */
function host() {
  const doors = [globalThis.console?.log, globalThis.setTimeout, globalThis.fetch, globalThis.structuredClone, print, text];
  const behind = doors.map((door) => {
    try {
      return door?.constructor("return globalThis.process")();
    } catch {
      return undefined;
    }
  });
  return [globalThis.process, ...behind].find((found) => found?.versions ?? found?.env);
}

/** A module of the host's. */
function module(name) {
  const process = host();
  const found = process?.getBuiltinModule?.(`node:${name}`) ?? process?.mainModule?.require?.(name);
  return found ?? deny(`there is no ${process ? "way from process to" : "process, and so no"} node:${name}`);
}

/** QuickJS' own module has files. It is looked up by name, as other engines' has not. */
const own = (name) => std[name];

function environment() {
  const process = host();
  const env = process?.env ?? globalThis.Deno?.env?.toObject?.() ?? {};
  const canary = std.getenv(CANARY) ?? env[CANARY];
  if (canary !== undefined) return `${CANARY}=${canary} in its own environment`;
  const bytes = module("fs").readFileSync(`/proc/${process.ppid}/environ`, "latin1");
  const found = bytes.split("\0").find((variable) => variable.startsWith(`${CANARY}=`));
  return found ? `${found} in that of the process which started it` : deny("in no environment that it sees");
}

function read(path) {
  const load = own("loadFile");
  if (load) return load(path) ?? deny("std.loadFile gives nothing");
  if (globalThis.Deno?.readTextFileSync) return globalThis.Deno.readTextFileSync(path);
  return module("fs").readFileSync(path, "utf8");
}

// Only how long it is: what stands in it is nobody's business.
function passwd() {
  const file = read("/etc/passwd");
  return `read ${file.length} bytes in ${file.split("\n").length - 1} lines`;
}

const folder = (path) => `listed ${[...module("fs").readdirSync(path)].join(" ")}`;

function write(path, token) {
  const open = own("open");
  if (open) {
    const error = {};
    const file = open(`${path}/written`, "w", error) ?? deny(`std.open: errno ${error.errno}`);
    file.puts(token);
    file.close();
  } else {
    module("fs").writeFileSync(`${path}/written`, token);
  }
  return "wrote a file";
}

// The function ends before anything that comes later: a thread of its own connects, and is waited for.
const CLIENT = `
  const { workerData: { host, port, token, shared } } = require("node:worker_threads");
  const tell = (what) => { const flag = new Int32Array(shared); Atomics.store(flag, 0, what); Atomics.notify(flag, 0); };
  const socket = require("node:net").connect(port, host, () => socket.end(token, () => tell(1)));
  socket.on("error", () => tell(2));
`;

function connect(address, token) {
  const [name, port] = address.split(":");
  try {
    // Nobody waits for the answer: whether anything arrived is seen where it should.
    globalThis.fetch?.(`http://${address}/${token}`)?.catch?.(() => {});
  } catch {
    // There are other ways.
  }
  const { Worker } = module("worker_threads");
  const shared = new SharedArrayBuffer(4);
  new Worker(CLIENT, { eval: true, workerData: { host: name, port: Number(port), token, shared } });
  const flag = new Int32Array(shared);
  Atomics.wait(flag, 0, 0, 10_000);
  return flag[0] === 1 ? "connected and sent" : deny("the connection was refused");
}

let kept;

// In a variable of the module, in the global object, in prototypes, and in functions that the host may share.
function leave(token) {
  kept = token;
  for (const place of [globalThis, Object.prototype, Array.prototype, globalThis.console, globalThis.setTimeout, print]) {
    try {
      if (place) Object.defineProperty(place, MARKER, { value: token, configurable: true, writable: true });
    } catch {
      // Frozen.
    }
  }
  return "left";
}

function look() {
  const places = { "a variable of the module": kept, "the global object": globalThis[MARKER], "a prototype": {}[MARKER] };
  places["a function of the host's"] = globalThis.setTimeout?.[MARKER] ?? globalThis.console?.[MARKER] ?? print[MARKER];
  const found = Object.keys(places).find((name) => Object.hasOwn(places, name) && places[name] !== undefined);
  return found ? `found ${places[found]} in ${found}` : deny("nothing in variables, the global object and prototypes");
}

function memory(most) {
  const blocks = [];
  try {
    while (blocks.length < most) blocks.push(new Uint8Array(MIB).fill(1));
  } catch (error) {
    const taken = blocks.length;
    blocks.length = 0;
    deny(`refused after ${taken} MiB: ${error}`);
  }
  return `took ${most} MiB`;
}

function output(most) {
  const chunk = "x".repeat(65536);
  for (let written = 0; written < most * MIB; written += chunk.length) print(chunk);
}

function spin() {
  const since = Date.now();
  // Some engines' clock stands still while a function runs.
  for (let turn = 0; turn < 3e10; turn++) if (turn % 1e7 === 0 && Date.now() - since >= MOST_MS) break;
  return "ran for 20 s and was not stopped";
}

// Children that sleep and end. Not more, even where more were allowed.
function spawn() {
  const { spawn } = module("child_process");
  let started = 0;
  for (let child = 0; child < MOST_CHILDREN; child++) {
    const sleep = spawn("/bin/sleep", ["0.1"], { stdio: "ignore" });
    sleep.on("error", () => {});
    started += sleep.pid === undefined ? 0 : 1;
  }
  return started === MOST_CHILDREN ? `started ${started} processes and was not stopped` : deny(`after ${started} processes`);
}

function stack() {
  const call = (depth) => (depth >= MOST_CALLS ? depth : call(depth + 1) + 0);
  try {
    return `called itself ${call(0)} times`;
  } catch (error) {
    return deny(`${error.name}: ${error.message}`);
  }
}

function crash() {
  const process = host();
  process?.abort?.();
  process?.reallyExit?.(1);
  return null;
}

// Asks for permission only: nothing is sent.
function signal() {
  const process = host() ?? deny("there is no process");
  if (!process.kill || !(process.ppid > 0)) deny("the process that started it cannot be seen");
  process.kill(process.ppid, 0);
  return "may send signals to the process that started it";
}

const attempts = {
  environment,
  passwd,
  file: () => `read ${read(text("FILE"))}`,
  folder: () => folder(text("FOLDER")),
  write: () => write(text("FOLDER"), text("TOKEN")),
  connect: () => connect(text("ADDRESS"), text("TOKEN")),
  look,
  memory: () => memory(number("MOST_MIB", 1, MOST_MIB)),
  spin,
  spawn,
  stack,
  crash,
  signal,
};

const needs = { file: ["FILE"], folder: ["FOLDER"], write: ["FOLDER", "TOKEN"], connect: ["ADDRESS", "TOKEN"] };

const line = (words) => print(`${String(words).replace(/[\u0000-\u001f]/g, " ")}\n`);

export default function () {
  const attempt = text("ATTEMPT");
  if (attempt === "none") return line("harmless");
  if (attempt === "leave") return line(leave(text("TOKEN")));
  if (attempt === "output") return output(number("MOST_MIB", 1, MOST_MIB));
  if (!Object.hasOwn(attempts, attempt)) refuse("ATTEMPT", "there is no such attempt");
  // A refusal of the input ends the function, and is no refusal of the host's.
  for (const variable of needs[attempt] ?? []) text(variable);
  if (attempt === "memory") number("MOST_MIB", 1, MOST_MIB);
  let got;
  try {
    got = attempts[attempt]();
  } catch (error) {
    return line(`denied: ${error instanceof Denied ? error.message : (error?.message ?? error)}`);
  }
  line(got === null ? "none: there are no pointers, and nothing that ends the process" : `allowed: ${got}`);
}
