// A session answers its own user, in a bounded way, and nobody else.
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  askChanges,
  askEnd,
  askKeep,
  askStatus,
} from "../../../../src/commands/running/ask_session.ts";
import type { TakeoverRequest } from "../../../../src/cluster/takeover/takeover_request.ts";
import { isNamed } from "../../../../src/commands/running/is_named.ts";
import { serveSession } from "../../../../src/commands/running/serve_session.ts";
import { sessionSocket } from "../../../../src/commands/running/session_socket.ts";
import { denoBundle } from "../../../../src/core/deno_bundle.ts";
import { exec } from "../../../../src/core/exec.ts";
import { StatusRecorder } from "../../../../src/commands/running/status_recorder.ts";
import { readToldEvent } from "../../../../src/commands/running/told_event.ts";
import type { ReportEvent } from "../../../../src/core/report.ts";

class Lab implements AsyncDisposable {
  readonly dir = Deno.makeTempDirSync({ prefix: "ktctl-socket-" });
  readonly path = join(this.dir, "run", "abc.sock");
  readonly recorder = new StatusRecorder();
  readonly signal = new AbortController();
  readonly ends: string[] = [];
  onEnd = () => {};
  keep = (): Promise<TakeoverRequest> => Promise.reject(new Error("not asked"));
  readonly #listeners = new Set<(event: ReportEvent) => void>();
  #server: Disposable | undefined;

  async open(): Promise<this> {
    this.#server = await serveSession(this.path, {
      status: () => this.recorder.status,
      keep: () => this.keep(),
      onChange: (listener) => this.recorder.onChange(listener),
      end: (reason) => {
        this.ends.push(reason);
        this.onEnd();
      },
      observe: (listener) => {
        this.#listeners.add(listener);
        return {
          [Symbol.dispose]: () => void this.#listeners.delete(listener),
        };
      },
    });
    return this;
  }

  tell(event: ReportEvent): void {
    this.recorder.observe(event);
    for (const listener of this.#listeners) listener(event);
  }

  close(): void {
    this.#server?.[Symbol.dispose]();
    this.#server = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await Deno.remove(this.dir, { recursive: true });
  }
}

const READY = { event: "ready", message: "Here", verb: "exchange" } as const;

Deno.test("a session tells its state, its link and how many connections came after it was ready", async () => {
  await using lab = await new Lab().open();
  const { signal } = lab.signal;
  lab.recorder.countConnection(); // proves the path
  const starting = await askStatus(lab.path, signal);
  assert.deepEqual(starting, {
    value: { state: "starting", link: { state: "none" }, connections: 0 },
  });
  lab.recorder.linked();
  lab.tell(READY);
  lab.recorder.countConnection();
  lab.recorder.countConnection();
  const since = new Date().toISOString();
  lab.tell({ event: "link", state: "down", reason: "gone", since });
  const ready = await askStatus(lab.path, signal);
  assert.deepEqual(ready, {
    value: {
      state: "ready",
      link: { state: "down", since },
      connections: 2,
      ready: { message: "Here", verb: "exchange" },
    },
  });
  assert.equal(Deno.statSync(lab.path).mode! & 0o777, 0o600);
});

Deno.test("who follows a session is told of each change, and that it has ended", async () => {
  await using lab = await new Lab().open();
  const states: string[] = [];
  for await (const line of askChanges(lab.path, lab.signal.signal)) {
    const { state, link } = JSON.parse(line);
    states.push(`${state} ${link.state}`);
    if (state === "starting" && link.state === "none") lab.recorder.linked();
    else if (state === "starting") lab.tell(READY);
    else lab.close();
  }
  assert.deepEqual(states, ["starting none", "starting up", "ready up"]);
  assert.ok(!existsSync(lab.path));
  await assert.rejects(async () => {
    for await (const _ of askChanges(lab.path, lab.signal.signal));
  }, /ENOENT/);
});

Deno.test("who ends a session is told what it tells until it is gone", async () => {
  await using lab = await new Lab().open();
  const told: string[] = [];
  lab.onEnd = () => lab.tell({ event: "closing", reason: "restoring" });
  for await (const line of askEnd(lab.path, lab.signal.signal)) {
    const { event } = readToldEvent(line)!;
    told.push(event.event);
    if (event.event === "warning") lab.close();
    else lab.tell({ event: "warning", code: "X", message: "y" });
  }
  assert.deepEqual(told, ["closing", "warning"]);
  assert.deepEqual(lab.ends, ["Ended by `ktctl leave`"]);
});

Deno.test("who refuses is told whom, or why there is nobody", async () => {
  await using lab = await new Lab().open();
  const ask = async () => {
    const lines = askKeep(lab.path, lab.signal.signal);
    return (await Array.fromAsync(lines)).map((line) =>
      readToldEvent(line)!.event
    );
  };
  assert.deepEqual(await ask(), [
    { event: "error", code: "INTERNAL", message: "not asked" },
  ]);
  lab.keep = () =>
    Promise.resolve({ id: "x", user: "bob", host: "b", until: 1 });
  assert.deepEqual(await ask(), [{
    event: "action",
    state: "done",
    message: "bob (on b) was told that you keep it",
  }]);
});

Deno.test("what is no request, or a long one, is cut off, and the session goes on answering", async () => {
  await using lab = await new Lab().open();
  for (const text of ["x".repeat(3000), '{"request":"shutdown"}\n', "[]\n"]) {
    const { promise, resolve } = Promise.withResolvers<string>();
    let answer = "";
    const socket = connect(lab.path);
    socket.setEncoding("utf8").on("data", (chunk) => answer += chunk);
    socket.on("error", () => {}).once("close", () => resolve(answer));
    socket.write(text);
    assert.equal(await promise, "", text.slice(0, 30));
  }
  assert.deepEqual(lab.ends, []);
  const read = await askStatus(lab.path, lab.signal.signal);
  assert.equal(read.reason, undefined);
});

Deno.test("a folder that others may enter is no place to answer in", async () => {
  await using lab = new Lab();
  mkdirSync(join(lab.dir, "run"));
  chmodSync(join(lab.dir, "run"), 0o777);
  await assert.rejects(() => lab.open(), /not this user's alone/);
});

Deno.test("what is no session, says nothing, or what is none of ours, is told as a reason", async () => {
  await using lab = new Lab();
  const { signal } = lab.signal;
  const path = join(lab.dir, "other.sock");
  assert.match((await askStatus(path, signal)).reason!, /ENOENT/);
  for (
    const [answer, reason] of [
      ["{}\n", /not as it should be/],
      ["x\n", /not JSON/],
      ["", /said nothing/],
    ] as const
  ) {
    using listener = Deno.listen({ transport: "unix", path });
    const serving = (async () => {
      using connection = await listener.accept();
      await connection.read(new Uint8Array(100));
      await connection.write(new TextEncoder().encode(answer));
    })();
    assert.match((await askStatus(path, signal)).reason!, reason);
    await serving;
    Deno.removeSync(path);
  }
});

Deno.test("the socket is in the user's own runtime folder, else beside the journals, and its path is short enough", () => {
  const journalDir = "/home/a/.local/state/ktctl/sessions";
  const at = (runtime: string | undefined, dir = journalDir, log?: string) =>
    sessionSocket("abc", {
      ...(log !== undefined && { log }),
      env: (name) => name === "XDG_RUNTIME_DIR" ? runtime : undefined,
      journalDir: dir,
    });
  const own = Deno.makeTempDirSync();
  assert.equal(at(own), `${own}/ktctl/abc.sock`);
  const beside = "/home/a/.local/state/ktctl/run/abc.sock";
  // which outlives the login that the runtime folder goes with
  assert.equal(at(own, journalDir, "/log"), beside);
  Deno.removeSync(own);
  assert.equal(at(undefined), beside);
  assert.equal(at("/nonexistent"), beside);
  assert.equal(at("relative"), beside);
  assert.match(
    at(undefined, `/${"x".repeat(100)}/s`)!,
    /ktctl-\d+\/abc\.sock$/,
  );
  const os = "windows";
  assert.equal(
    sessionSocket("abc", { env: () => undefined, journalDir, os }),
    undefined,
  );
});

Deno.test("a user without a name, as in a container, has a socket too", {
  ignore: Deno.uid() !== 0, // who may be somebody else for a moment
}, async () => {
  const dir = Deno.makeTempDirSync({ prefix: "ktctl-nameless-" });
  try {
    chmodSync(dir, 0o755);
    const module = join(dir, "socket.js");
    await denoBundle("src/commands/running/session_socket.ts", module);
    const program = `import { sessionSocket } from "${pathToFileURL(module)}";
      const journalDir = "/${"x".repeat(100)}/s";
      console.log(sessionSocket("abc", { env: () => undefined, journalDir }));`;
    const { stdout, stderr } = await exec("setpriv", [
      ...["--reuid=54321", "--regid=54321", "--clear-groups"],
      ...[Deno.execPath(), "eval", "--no-config", program],
    ], { cwd: "/", env: { DENO_DIR: "/dev/null/deno", HOME: "/nonexistent" } });
    assert.match(stdout, /ktctl-54321\/abc\.sock\n$/, stderr);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
});

Deno.test("a session is named by its id, its verb, or what it is about", () => {
  const header = { session: "abcdefghij", command: "exchange deploy/web" };
  for (const name of ["abcdefghij", "exchange", "deploy/web", "web"]) {
    assert.ok(isNamed(header, name), name);
  }
  for (const name of ["", "we", "deploy", "svc/web"]) {
    assert.ok(!isNamed(header, name), name);
  }
  const mesh = { session: "x", command: "mesh api --versionMark version:a" };
  assert.ok(isNamed(mesh, "api"));
  assert.ok(!isNamed(mesh, "version:a"));
});
