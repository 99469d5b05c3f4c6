// Servers that are asked over HTTP: Node.js' own and workerd, each in a process of its own.

import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import * as baselines from "./baselines.mjs";
import { bundle, compile, load } from "./bundle.mjs";
import { crashed, hostFailure } from "./failure.mjs";
import { writeArtifact } from "./artifact.mjs";
import { removeFolder, temporaryFolder } from "./temporary.mjs";
import { proposals, readModule } from "./wasm.mjs";

const WORKERD = process.arch === "arm64" ? "@cloudflare/workerd-linux-arm64" : "@cloudflare/workerd-linux-64";
const CONTROL_FD = 3;
const LISTEN_MS = 30_000;
const DATE = "2026-11-01";
const SCENARIOS = ["http-start", "http-closed", "http-knee"];
const TAIL_BYTES = 2000;

const now = process.hrtime.bigint;

/** The runtimes, and what there would be besides. */
export function servers() {
  const node = server("node/http", process.versions.node, serveNode, {
    isolation: "none between requests: one context answers all of them",
    threads: "1",
  });
  const version = baselines.version(WORKERD);
  if (version === null) {
    return { runtimes: [node], absent: [{ runtime: "workerd", reason: `workerd is not here; ${baselines.REMEDY}` }] };
  }
  const limits = "none on a request's time and memory: those are no part of the open workerd";
  const workerd = [
    server("workerd/cached", version, serveWorker, { isolation: "one isolate answers all requests", limits }),
    server("workerd/isolate", version, serveLoader, {
      isolation: "a fresh isolate for each request (worker loader)",
      limits,
    }),
    wasmServer(version, { isolation: "a fresh instance for each request, in one isolate", limits }),
  ];
  return { runtimes: [node, ...workerd], absent: [] };
}

const common = {
  execution: "jit",
  concurrent: true,
  class: "server",
  enforcement: { wall_time: "process", memory: "process", stack: "engine" },
  scenarios: SCENARIOS,
};

function server(id, version, serve, settings) {
  const host = id === "node/http" ? "server" : "worker";
  const wasi = "none: the environment is the query, standard input the body";
  const info = { id, version, wasi, proposals: [], form: "javascript", ...common, settings };
  return {
    info,
    serve,
    engine: () => ({ compile: (source, artifact) => compile(host, source, artifact), load: refuse(id), release() {} }),
  };
}

function wasmServer(version, settings) {
  const info = {
    id: "workerd/wasm",
    version,
    wasi: "isobar's own, in JavaScript",
    proposals: proposals(),
    ...common,
    settings,
  };
  const copy = (wasm, artifact) => writeArtifact(artifact, readModule(wasm));
  return { info, serve: serveWasm, engine: () => ({ compile: copy, load: refuse(info.id), release() {} }) };
}

const refuse = (id) => () => {
  throw hostFailure(`${id} is a server: it is measured over HTTP only`);
};

async function serveNode(artifact, { limits }) {
  const folder = temporaryFolder({ "server.mjs": load("server", artifact) });
  const args = ["--no-warnings", path.join(folder, "server.mjs"), String(limits.output_bytes)];
  return start(folder, process.execPath, args, (child) => firstLine(child.stdout, Number));
}

const serveWorker = (artifact, { limits }) =>
  startWorkerd(temporaryFolder({ "worker.js": load("worker", artifact) }), {
    modules: ['(name = "worker.js", esModule = embed "worker.js")'],
    bindings: [text("OUTPUT_BYTES", limits.output_bytes)],
  });

const serveLoader = (artifact, { limits }) =>
  startWorkerd(temporaryFolder({ "worker.js": load("worker", artifact), "loader.js": hostSource("loader.js") }), {
    modules: ['(name = "loader.js", esModule = embed "loader.js")'],
    bindings: [
      '(name = "LOADER", workerLoader = (id = "functions"))',
      '(name = "SOURCE", text = embed "worker.js")',
      text("OUTPUT_BYTES", limits.output_bytes),
      text("DATE", DATE),
    ],
    flags: ["--experimental"],
  });

async function serveWasm(artifact, { args, limits }) {
  const files = { "function.wasm": readModule(artifact), "shim.js": bundle("worker-wasm") };
  return startWorkerd(temporaryFolder(files), {
    modules: [
      '(name = "shim.js", esModule = embed "shim.js")',
      '(name = "function.wasm", wasm = embed "function.wasm")',
    ],
    bindings: [text("OUTPUT_BYTES", limits.output_bytes), text("ARGS", JSON.stringify(args))],
  });
}

const hostSource = (name) => fs.readFileSync(fileURLToPath(new URL(`../hosts/${name}`, import.meta.url)));

const text = (name, value) => `(name = "${name}", text = ${JSON.stringify(String(value))})`;

function startWorkerd(folder, { modules, bindings, flags = [] }) {
  const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  compatibilityDate = "${DATE}",
  modules = [${modules.join(", ")}],
  bindings = [${bindings.join(", ")}],
);
`;
  fs.writeFileSync(path.join(folder, "config.capnp"), config);
  const args = ["serve", ...flags, `--control-fd=${CONTROL_FD}`, path.join(folder, "config.capnp")];
  const listening = (child) => firstLine(child.stdio[CONTROL_FD], (line) => JSON.parse(line).port);
  return start(folder, baselines.program(`${WORKERD}/bin/workerd`), args, listening);
}

/** The first line of a stream, read by `parse`; none if it ends before. */
async function firstLine(stream, parse) {
  let line = "";
  for await (const chunk of stream) {
    line += chunk;
    if (line.includes("\n")) return parse(line.slice(0, line.indexOf("\n")));
  }
  return null;
}

/** Starts a server and waits until it says on which port it listens. */
async function start(folder, program, args, port) {
  const { spawn } = await import("node:child_process");
  const began = now();
  const child = spawn(program, args, { env: {}, cwd: folder, stdio: ["ignore", "pipe", "pipe", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk) => (said = (said + chunk).slice(-TAIL_BYTES)));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const release = async () => {
    child.kill("SIGKILL");
    await ended;
    removeFolder(folder);
  };
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, LISTEN_MS, null)));
  const failed = new Promise((resolve) => child.once("error", () => resolve(null)));
  const found = await Promise.race([port(child), late, failed]);
  const elapsed_ns = Number(now() - began);
  clearTimeout(timer);
  if (!Number.isInteger(found)) {
    await release();
    throw crashed(`${path.basename(program)} does not listen: ${said.trim().split("\n").at(-1) || "it says nothing"}`);
  }
  // What it writes later must not make it wait.
  child.stdout.resume();
  return { url: `http://127.0.0.1:${found}/`, elapsed_ns, server: { release } };
}
