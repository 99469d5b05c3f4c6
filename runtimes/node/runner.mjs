// The runner of JavaScript engines: answers the requests of docs/RUNNER.md on standard input until it ends.

import fs from "node:fs";
import { Failed, crashed, hostFailure } from "./src/failure.mjs";
import { State } from "./src/state.mjs";

const STDOUT = 1;
const NEWLINE = 0x0a;

// Ends this process when isobar is gone, even in the middle of a function that never ends. One that is in no function ends
// by itself meanwhile, and ends its servers before.
const PARENT = process.ppid;
const WATCH = `
  let late = 0;
  setInterval(() => { if (process.ppid !== ${PARENT} && ++late > 5) process.kill(process.pid, "SIGKILL"); }, 500);
`;

// The pipe is for replies alone.
console.log = console.info = console.debug = console.error;

function send(reply) {
  const line = Buffer.from(`${JSON.stringify(reply)}\n`);
  try {
    for (let at = 0; at < line.length;) at += write(line, at);
  } catch (error) {
    // Nobody is there any more to be told.
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  }
}

// Nobody ever wakes it.
const pause = new Int32Array(new SharedArrayBuffer(4));

/** Writes as much as fits the pipe, which Node.js has set to never wait. */
function write(line, at) {
  try {
    return fs.writeSync(STDOUT, line, at);
  } catch (error) {
    if (error.code !== "EAGAIN") throw error;
    Atomics.wait(pause, 0, 0, 1);
    return 0;
  }
}

const failure = (error) =>
  error instanceof Failed ? error : crashed(`${error?.stack ?? error}`.split("\n", 2).join(""));

function request(line) {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw hostFailure(`the runner does not understand a request: ${error.message}`);
  }
}

async function answer(state, line) {
  try {
    return await state.answer(request(line));
  } catch (error) {
    return { reply: "failed", error: failure(error).error };
  }
}

async function main() {
  const state = new State();
  if (process.argv[2] === "--describe") return send(await answer(state, '{"op":"describe"}'));
  if (process.argv.length > 2) {
    process.stderr.write("a runner program of isobar: it speaks docs/RUNNER.md on standard input and output\n");
    process.exit(1);
  }
  let watched = false;
  let rest = Buffer.alloc(0);
  for await (const chunk of process.stdin) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let end; (end = rest.indexOf(NEWLINE)) >= 0;) {
      const line = rest.toString("utf8", 0, end);
      rest = rest.subarray(end + 1);
      if (!watched && !line.includes('"op":"describe"')) {
        const { Worker } = await import("node:worker_threads");
        new Worker(WATCH, {
          eval: true,
          resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1 },
        }).unref();
        watched = true;
      }
      send(await answer(state, line));
    }
  }
  await state.close();
  process.exit(0);
}

// The last line is what isobar shows.
process.on("uncaughtException", (error) => {
  process.stderr.write(`${failure(error).message}\n`);
  process.exit(1);
});

await main();
