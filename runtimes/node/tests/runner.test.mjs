// The runner through its protocol, as isobar uses it: node --test runtimes/node/tests

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const RUNNER = path.join(ROOT, "runtimes/node/runner.mjs");
const SCRIPTS = path.join(ROOT, "workloads/javascript");
const HELLO_WASM = path.join(ROOT, "workloads/rust/hello/hello.wasm");

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "isobar-test-"));
const runners = [];
after(() => {
  for (const runner of runners) runner.child.kill("SIGKILL");
  fs.rmSync(folder, { recursive: true, force: true });
});

/** A runner process that was started as isobar does it. */
class Runner {
  constructor() {
    const args = ["--no-warnings", "--expose-gc", "--no-node-snapshot", RUNNER];
    this.child = spawn(process.execPath, args, { env: {}, stdio: ["pipe", "pipe", "inherit"] });
    this.waiting = [];
    let rest = "";
    this.child.stdout.on("data", (chunk) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop();
      for (const line of lines) this.waiting.shift()(JSON.parse(line));
    });
    this.ended = new Promise((resolve) => this.child.once("exit", resolve));
    runners.push(this);
  }

  ask(request) {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.child.stdin.write(`${JSON.stringify(request)}\n`);
    });
  }

  async done(request) {
    const reply = await this.ask(request);
    assert.notEqual(reply.reply, "failed", JSON.stringify(reply));
    return reply;
  }
}

const base64 = (text) => Buffer.from(text).toString("base64");
const LIMITS = { wall_time_ns: 20e9, memory_bytes: 2 ** 30, output_bytes: 2 ** 24 };
const invocation = (env = {}, stdin = "", limits = {}) => ({
  args: [],
  env: Object.entries(env),
  stdin: base64(stdin),
  limits: { ...LIMITS, ...limits },
});

const { runtimes, absent } = await new Runner().done({ op: "describe" });
const ids = runtimes.map(({ id }) => id);
const scripts = runtimes.filter(({ form, class: wall }) => form === "javascript" && wall === "isolate");
const reason = absent.map(({ runtime, reason }) => `${runtime}: ${reason}`).join("; ");
const skip = scripts.length === 0 ? reason : false;

/** What a script answers in a runtime. */
async function run(runtime, source, given = invocation()) {
  return new Runner().ask({ op: "run", runtime, artifact: source, invocation: given });
}

function script(name, text) {
  const file = path.join(folder, `${name}.js`);
  fs.writeFileSync(file, text);
  return file;
}

const stdout = ({ outcome }) => Buffer.from(outcome.stdout, "base64").toString();

test("every runtime says what it is, and names are given once", () => {
  assert.ok(ids.includes("node/wasi") && ids.includes("node/wasi-turbofan+js-wasi"));
  assert.equal(new Set(ids).size, ids.length);
  for (const { id, version, settings, scenarios } of runtimes) {
    assert.match(id, /^[a-z0-9-]+\/[a-z0-9-]+(\+[a-z0-9-]+)*$/);
    assert.ok(version && Object.keys(settings).length > 0 && scenarios.length > 0, id);
  }
  for (const { reason } of absent) assert.match(reason, /scripts\/setup --baselines/);
});

test("requests that make no sense are answered, and the runner goes on", async () => {
  const runner = new Runner();
  runner.child.stdin.write("nonsense\n");
  const replies = [
    { op: "fly" },
    { op: "load", artifact: "/x" },
    { op: "execute", instance: 7 },
    { op: "release", handle: 7 },
  ];
  const garbled = await new Promise((resolve) => runner.waiting.push(resolve));
  assert.equal(garbled.error.failure.failure, "host");
  for (const request of replies) assert.equal((await runner.ask(request)).error.failure.failure, "host");
  assert.equal((await runner.done({ op: "describe" })).reply, "described");
  runner.child.stdin.end();
  assert.equal(await runner.ended, 0);
});

test("a runner in an endless function ends with whoever started it", async () => {
  const loop = path.join(folder, "loop.wasm");
  // (module (func (export "_start") (loop (br 0))))
  fs.writeFileSync(
    loop,
    Buffer.from("0061736d01000000010401600000030201000" + "70a01065f737461727400000a0901070003400c000b0b", "hex"),
  );
  const request = JSON.stringify({ op: "run", runtime: "node/wasi", artifact: loop, invocation: invocation() });
  // A shell between us and the runner is what is killed.
  const command = `"$0" --no-warnings "$1" & echo $!; sleep 60`;
  const shell = spawn("sh", ["-c", `exec 3<&0; ${command.replace("&", "<&3 &")}`, process.execPath, RUNNER], {
    stdio: ["pipe", "pipe", "inherit"],
    detached: true,
  });
  let said = "";
  shell.stdout.on("data", (chunk) => (said += chunk));
  const lines = async (count) => {
    while (said.split("\n").length <= count) await new Promise((resolve) => setTimeout(resolve, 10));
    return said.split("\n");
  };
  const pid = Number((await lines(1))[0]);
  // Once it has answered, it knows its parent.
  shell.stdin.write('{"op":"describe"}\n');
  await lines(2);
  shell.stdin.write(`${request}\n`);
  const runs = () => {
    try {
      return !/^State:\s*[ZX]/m.test(fs.readFileSync(`/proc/${pid}/status`, "utf8"));
    } catch {
      return false;
    }
  };
  assert.ok(runs());
  shell.kill("SIGKILL");
  for (let tries = 0; runs() && tries < 600; tries++) await new Promise((resolve) => setTimeout(resolve, 100));
  const orphan = runs();
  if (orphan) process.kill(pid, "SIGKILL");
  process.kill(-shell.pid, "SIGKILL");
  assert.ok(!orphan, "it outlives its parent");
});

test("the scripts answer as their modules do, in every isolate", { skip }, async () => {
  for (const { id } of scripts) {
    const hello = await run(id, path.join(SCRIPTS, "hello/hello.js"), invocation({ NAME: "Wörld" }));
    assert.equal(stdout(hello), "Hello, Wörld!\n", id);
    const missing = await run(id, path.join(SCRIPTS, "hello/hello.js"));
    assert.deepEqual([missing.outcome.exit_code, stdout(missing)], [2, ""], id);
    assert.equal(Buffer.from(missing.outcome.stderr, "base64").toString(), "NAME: is not set\n");
    const echo = await run(id, path.join(SCRIPTS, "echo/echo.js"), invocation({}, "ü\0x".repeat(100_000)));
    assert.equal(stdout(echo), "ü\0x".repeat(100_000), id);
  }
});

test("newer JavaScript is there, whatever the engine has", { skip }, async () => {
  const base = path.join(SCRIPTS, "base64/base64.js");
  for (const [text, encoded] of [
    ["", ""],
    ["f", "Zg=="],
    ["fo", "Zm8="],
    ["foo", "Zm9v"],
    ["foob", "Zm9vYg=="],
    ["ÿþ", "w7/Dvg=="],
  ]) {
    assert.equal(stdout(await run("node/context", base, invocation({ MODE: "encode" }, text))), `${encoded}\n`);
    assert.equal(stdout(await run("node/context", base, invocation({ MODE: "decode" }, encoded))), text);
  }
  for (const wrong of ["Zg=", "Zh==", "Zg==Zg==", "Z=g=", "Zm8", "Zm9-"]) {
    assert.equal((await run("node/context", base, invocation({ MODE: "decode" }, wrong))).outcome.exit_code, 2, wrong);
  }
  const hash = await run("node/isolate", path.join(SCRIPTS, "blake3/blake3.js"), invocation({ TEXT: "" }));
  assert.equal(stdout(hash), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262\n");
});

test("limits hold in every isolate", { skip }, async () => {
  const endless = script("endless", "export default function () { for (;;); }");
  const hungry = script(
    "hungry",
    "export default function () { const all = []; for (;;) all.push(new Array(1000).fill(1.5)); }",
  );
  const deep = script("deep", "function f() { return f() + 1; } export default function () { f(); }");
  const loud = script(
    "loud",
    'import * as std from "std"; export default function () { for (;;) std.out.puts("x".repeat(1000)); }',
  );
  const caught = script(
    "caught",
    'import * as std from "std"; export default function () { for (let i = 0; i < 99; i++) try { std.out.puts("xx"); } catch {} }',
  );
  for (const { id } of scripts) {
    const failure = async (source, limits) => (await run(id, source, invocation({}, "", limits))).error?.failure;
    assert.deepEqual(await failure(endless, { wall_time_ns: 1e8 }), { failure: "timeout", limit_ns: 1e8 }, id);
    if (id !== "node/context") {
      assert.deepEqual(
        await failure(hungry, { memory_bytes: 2 ** 24 }),
        { failure: "memory", limit_bytes: 2 ** 24 },
        id,
      );
    }
    assert.deepEqual(await failure(loud, { output_bytes: 5000 }), { failure: "output-limit", limit_bytes: 5000 }, id);
    assert.deepEqual(await failure(caught, { output_bytes: 50 }), { failure: "output-limit", limit_bytes: 50 }, id);
    const overflow = await run(id, deep);
    assert.equal(overflow.outcome.exit_code, 1, id);
    assert.match(Buffer.from(overflow.outcome.stderr, "base64").toString(), /call stack/, id);
  }
});

test("invocations know nothing of each other, and of their host nothing", { skip }, async () => {
  const counts = script(
    "counts",
    `let here = 0;
    export default function () {
      here++;
      globalThis.count = (globalThis.count ?? 0) + 1;
      const seen = ["process", "require", "fetch", "Deno", "WebSocket"].filter((name) => name in globalThis);
      console.log(here, globalThis.count, seen.join());
    }`,
  );
  for (const { id } of scripts) {
    const runner = new Runner();
    await runner.done({ op: "engine", runtime: id });
    const { handle: module } = await runner.done({ op: "load", artifact: counts });
    const instances = [];
    for (let i = 0; i < 3; i++) {
      instances.push((await runner.done({ op: "instantiate", module, invocation: invocation() })).handle);
    }
    for (const instance of instances.reverse()) {
      assert.equal(stdout(await runner.done({ op: "execute", instance })), "1 1 \n", id);
      await runner.done({ op: "release", handle: instance });
    }
    assert.equal((await runner.ask({ op: "execute", instance: instances[0] })).reply, "failed");
  }
});

test("a bundle is what a source is, and a broken source is rejected with its line", { skip }, async () => {
  const runner = new Runner();
  await runner.done({ op: "engine", runtime: "node/isolate" });
  const artifact = path.join(folder, "bundle");
  await runner.done({ op: "compile", wasm: path.join(SCRIPTS, "fibonacci/fibonacci.js"), artifact });
  const given = invocation({ N: "20" });
  assert.equal(stdout(await run("node/isolate", artifact, given)), "6765\n");
  assert.equal(stdout(await run("node/context", artifact, given)), "6765\n");
  const broken = await run("node/isolate", script("broken", "export default function () {\n  let = ;\n}"));
  assert.equal(broken.error.failure.failure, "rejected");
  assert.match(broken.error.failure.message, /broken\.js:2: /);
});

describe("measuring", () => {
  const BUDGET = { warm_up_samples: 3, warm_up_ns: 1e9, min_samples: 4, max_samples: 8, time_ns: 1e9, precision: 0 };
  const task = (artifact, expected) => ({
    module: artifact,
    artifact,
    invocation: invocation({ NAME: "x" }),
    expectation: { exit_code: 0, stdout: { exact: base64(expected) } },
  });
  const columns = {
    cold: ["engine_ns", "load_ns", "instantiate_ns", "execute_ns", "teardown_ns"],
    warm: ["instantiate_ns", "execute_ns", "teardown_ns"],
    density: ["instances", "instances_pss_bytes", "modules", "modules_pss_bytes"],
    throughput: ["completed", "elapsed_ns"],
  };
  const measured = runtimes.filter(({ scenarios }) => scenarios.includes("warm"));
  const hello = ({ form }) => (form === "javascript" ? path.join(SCRIPTS, "hello/hello.js") : HELLO_WASM);

  for (const [name, wanted] of Object.entries(columns)) {
    test(`${name} has its columns, as long as each other`, async () => {
      for (const runtime of measured) {
        const scenario = name === "throughput" ? { scenario: name, threads: 1 } : { scenario: name };
        const request = {
          op: "measure",
          runtime: runtime.id,
          scenario,
          task: task(hello(runtime), "Hello, x!\n"),
          budget: BUDGET,
        };
        const { measurement } = await new Runner().done(request);
        assert.deepEqual(Object.keys(measurement.samples), wanted, runtime.id);
        const first = measurement.samples[wanted[0]];
        if (name === "density") assert.deepEqual(first, [1, 2, 4, 8].slice(0, first.length), runtime.id);
        else for (const column of wanted) assert.equal(measurement.samples[column].length, first.length, runtime.id);
        for (const column of wanted)
          assert.ok(measurement.samples[column].every((n) => Number.isSafeInteger(n) && n >= 0));
        assert.ok(["precision", "samples", "time"].includes(measurement.stop));
        assert.ok(measurement.readings.pss_bytes > 0 && measurement.readings.invocations > 0, runtime.id);
      }
    });
  }

  test("a wrong answer is no measurement", async () => {
    for (const runtime of measured) {
      const request = {
        op: "measure",
        runtime: runtime.id,
        scenario: { scenario: "warm" },
        task: task(hello(runtime), "Hello!\n"),
        budget: BUDGET,
      };
      const reply = await new Runner().ask(request);
      assert.match(reply.error["wrong-answer"], /"Hello, x!\\n" instead of "Hello!\\n"/, runtime.id);
    }
  });
});

describe("servers", { skip: absent.length > 0 ? reason : false }, () => {
  const servers = runtimes.filter(({ class: wall }) => wall === "server");
  const source = ({ form }, name) =>
    form === "javascript"
      ? path.join(SCRIPTS, name, `${name}.js`)
      : path.join(ROOT, "workloads/rust", name, `${name}.wasm`);

  for (const server of servers) {
    test(`${server.id} answers each request with its own environment, and ends with its handle`, async () => {
      const runner = new Runner();
      const { url, handle, elapsed_ns } = await runner.done({
        op: "serve",
        runtime: server.id,
        artifact: source(server, "hello"),
        invocation: invocation(),
      });
      assert.ok(elapsed_ns > 0);
      const answers = await Promise.all(
        ["a", "b", "ü &"].map(async (name) => {
          const answer = await fetch(`${url}?${new URLSearchParams({ NAME: name })}`);
          return [answer.status, await answer.text()];
        }),
      );
      assert.deepEqual(answers, [
        [200, "Hello, a!\n"],
        [200, "Hello, b!\n"],
        [200, "Hello, ü &!\n"],
      ]);
      assert.equal((await fetch(url)).status, 500);
      await runner.done({ op: "release", handle });
      await assert.rejects(fetch(url));
    });

    test(`${server.id} reads a body and runs within its output limit`, async () => {
      const runner = new Runner();
      const { url } = await runner.done({
        op: "serve",
        runtime: server.id,
        artifact: source(server, "echo"),
        invocation: invocation({}, "", { output_bytes: 1000 }),
      });
      const post = async (body) => fetch(url, { method: "POST", body });
      assert.equal(await (await post("x\0ü".repeat(200))).text(), "x\0ü".repeat(200));
      assert.equal((await post("x".repeat(1001))).status, 500);
      runner.child.stdin.end();
      assert.equal(await runner.ended, 0);
      await assert.rejects(fetch(url));
      const left = fs.readdirSync(os.tmpdir()).filter((name) => name.startsWith(`isobar-node-${runner.child.pid}-`));
      assert.deepEqual(left, []);
    });
  }
});
