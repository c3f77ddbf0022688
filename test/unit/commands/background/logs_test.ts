// Logs of sessions in the background: whose they are, how they are followed, and how many stay.
import assert from "node:assert/strict";
import { appendFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { followLog } from "../../../../src/commands/background/follow_log.ts";
import {
  createLog,
  dropOldLogs,
  listLogs,
} from "../../../../src/commands/background/log_folder.ts";
import { ownCommand } from "../../../../src/commands/background/own_command.ts";

function temporaryFolder(): { path: string } & Disposable {
  const path = Deno.makeTempDirSync({ prefix: "ktctl-logs-" });
  return {
    path,
    [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }),
  };
}

Deno.test("a log is followed as it is written, and to what stands behind its last newline", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "log");
  writeFileSync(path, "one\ntw");
  const over = new AbortController();
  const lines: string[] = [];
  for await (const line of followLog(path, over.signal)) {
    lines.push(line);
    if (line === "one") appendFileSync(path, "o\nthree\n");
    if (line === "three") {
      appendFileSync(path, "ünd");
      over.abort();
    }
  }
  assert.deepEqual(lines, ["one", "two", "three", "ünd"]);
});

Deno.test("a log is followed where no file can be watched, and read where none would have to be", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "log");
  writeFileSync(path, "one\n");
  const { watchFs } = Deno;
  let watched = 0;
  Deno.watchFs = () => {
    watched++;
    throw new Error("No file descriptors available (os error 24)");
  };
  try {
    const over = new AbortController();
    const lines: string[] = [];
    for await (const line of followLog(path, over.signal)) {
      lines.push(line);
      if (line === "one") setTimeout(() => appendFileSync(path, "two\n"), 50);
      if (line === "two") over.abort();
    }
    assert.deepEqual(lines, ["one", "two"]);
    assert.equal(watched, 1);
    const all = await Array.fromAsync(followLog(path, AbortSignal.abort()));
    assert.deepEqual(all, ["one", "two"]);
    assert.equal(watched, 1, "nothing is followed");
  } finally {
    Deno.watchFs = watchFs;
  }
});

Deno.test("logs are listed newest first, and what is none is left out", async () => {
  using folder = temporaryFolder();
  const dir = join(folder.path, "logs");
  assert.deepEqual(listLogs(dir), []);
  const first = createLog(dir, "exchange web");
  await new Promise((resolve) => setTimeout(resolve, 2)); // by their time in ms
  const second = createLog(dir, "connect");
  writeFileSync(join(dir, "x.jsonl"), '{"log":1,"command":5}\n');
  writeFileSync(join(dir, "y.jsonl"), "x".repeat(100_000));
  writeFileSync(join(dir, "z.txt"), "");
  Deno.mkdirSync(join(dir, "d.jsonl"));
  assert.deepEqual(listLogs(dir), [second, first]);
  assert.equal(Deno.statSync(first.path).mode! & 0o777, 0o600);
  assert.equal(Deno.statSync(dir).mode! & 0o777, 0o700);
});

Deno.test("twenty logs of sessions that have ended stay, and all that somebody writes to", () => {
  using folder = temporaryFolder();
  const dir = join(folder.path, "logs");
  createLog(dir, "exchange web");
  for (let at = 0; at < 30; at++) {
    const startedAt = new Date(at * 1000).toISOString();
    const header = { log: 1, command: `exchange s${at}`, startedAt };
    writeFileSync(join(dir, `${at}.jsonl`), `${JSON.stringify(header)}\n`);
  }
  dropOldLogs(dir, new Set([join(dir, "3.jsonl")]));
  const kept = readdirSync(dir);
  assert.equal(kept.length, 21);
  assert.ok(kept.includes("3.jsonl") && kept.includes("29.jsonl"));
  assert.ok(!kept.includes("4.jsonl"));
});

Deno.test("each form of ktctl starts itself again, without a configuration that happens to lie there", () => {
  const execPath = "/bin/deno";
  const denoDir = undefined;
  const at = (mainModule: string, isStandalone = false) =>
    ownCommand({ execPath, mainModule, isStandalone, denoDir }).join(" ");
  assert.equal(at("file:///x", true), "/bin/deno");
  const start = "/bin/deno run -A --quiet --cached-only";
  assert.equal(at("file:///src/main.ts"), `${start} file:///src/main.ts`);
  for (const url of ["file:///opt/ktctl.js", "https://x.example/ktctl.js"]) {
    assert.equal(at(url), `${start} --no-config --no-lock ${url}`);
  }
  assert.equal(
    at("https://x.example/v1/main.ts"),
    `${start} --no-config --no-lock --import-map=https://x.example/v1/deno.json https://x.example/v1/main.ts`,
  );
});

Deno.test("a line that has no time of its own is shown without one", async () => {
  using folder = temporaryFolder();
  const dir = join(folder.path, "ktctl", "logs");
  const { path } = createLog(dir, "exchange web");
  appendFileSync(path, "error: Module not found\n");
  const main = new URL("../../cli/ktctl_here.ts", import.meta.url);
  const logs = async (...args: string[]) => {
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "--quiet", fileURLToPath(main), "/nonexistent"],
        ...["logs", ...args],
      ],
      env: { XDG_STATE_HOME: folder.path, NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    return decoder.decode(stdout) + decoder.decode(stderr);
  };
  assert.match(await logs(), /^error: Module not found\n/);
  const [line = ""] = (await logs("--output", "json")).split("\n");
  assert.deepEqual(JSON.parse(line), {
    ...{ event: "action", state: "done", message: "error: Module not found" },
  });
});
