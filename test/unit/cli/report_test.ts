import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import { HumanReport } from "../../../src/cli/report_human.ts";
import { JsonReport } from "../../../src/cli/report_json.ts";
import { ConflictError } from "../../../src/core/errors.ts";
import { errorEvent, type Report } from "../../../src/core/report.ts";
import { denoDir } from "../../deno_dir.ts";

const error = errorEvent(
  new ConflictError("TAKEN", "Cannot take it", {
    details: ["one", "two"],
    hint: "Ask alice",
  }),
);

function human(options: { debug?: boolean; live?: boolean } = {}) {
  const said = { out: "", err: "" };
  const report = new HumanReport({
    out: (text) => void (said.out += stripVTControlCharacters(text)),
    err: (text) => void (said.err += stripVTControlCharacters(text)),
    debug: options.debug ?? false,
    live: options.live ?? false,
  });
  return { report, said };
}

/** A moment of today, by this machine's clock. */
const since = new Date(new Date().setHours(9, 5, 7, 0)).toISOString();

/** Every kind of event once. */
function tellAll(report: Report): void {
  report.event({ event: "step", name: "check", state: "started" });
  report.event({ event: "step", name: "check", state: "done", ms: 1234 });
  report.event({ event: "step", name: "switch", state: "failed", ms: 50 });
  report.event({ event: "ready", message: "Ready.", verb: "exchange" });
  report.event({ event: "link", state: "down", reason: "reset", since });
  report.event({ event: "link", state: "up", ms: 300, since });
  report.event({ event: "action", state: "done", message: "delete Pod" });
  report.warn("ODD", "This is odd");
  report.event({ event: "closing", reason: "SIGINT: putting back" });
  report.event(error);
  report.debug("not for everybody");
  report.event({
    event: "closed",
    state: "restored",
    reason: "All is back",
    exitCode: 7,
  });
}

Deno.test("people read what they asked for on stdout, and the course of things on stderr", () => {
  const { report, said } = human();
  tellAll(report);
  assert.equal(said.out, "Ready.\ndelete Pod\n");
  assert.equal(
    said.err,
    "✔ Check (1.2 s)\n" +
      "✘ Switch (0.1 s)\n" +
      "Connection lost: reset; connecting again\n" +
      "Connected again: the connection was down for 0.3 s, since 09:05:07\n" +
      "Warning: This is odd\n" +
      "SIGINT: putting back\n" +
      "Error: Cannot take it\n  one\n  two\nAsk alice\n" +
      "All is back\n",
  );
});

Deno.test("with --debug people read the error's code and what is not for everybody", () => {
  const { report, said } = human({ debug: true });
  tellAll(report);
  assert.match(
    said.err,
    /Ask alice\n\(TAKEN\)\nnot for everybody\nAll is back\n$/,
  );
});

Deno.test("on a terminal a running step is shown, and its line is used again when it ends", () => {
  let err = "";
  const report = new HumanReport({
    out: () => {},
    err: (text) => void (err += text),
    debug: false,
    live: true,
  });
  report.event({ event: "step", name: "check", state: "started" });
  assert.equal(err, "  Check …");
  err = "";
  report.event({ event: "step", name: "check", state: "done", ms: 0 });
  assert.ok(err.startsWith("\r\x1b[K"));
  assert.ok(err.endsWith("\n"));
});

Deno.test("a terminal rings when the connection is back after 10 s, and no file or pipe has a bell in it", () => {
  for (const live of [true, false]) {
    for (const ms of [9_999, 10_000]) {
      const { report, said } = human({ live });
      report.event({ event: "link", state: "up", ms, since });
      assert.equal(said.err.includes("\x07"), live && ms === 10_000);
    }
  }
});

Deno.test("people read for how long the connection was down, and since which day", () => {
  const { report, said } = human();
  const up = (ms: number, at: string) => {
    said.err = "";
    report.event({ event: "link", state: "up", ms, since: at });
    return said.err.trim();
  };
  const begin = "Connected again: the connection was down for";
  assert.equal(up(605_000, since), `${begin} 10 min 5 s, since 09:05:07`);
  const old = new Date(2020, 1, 3, 22, 0, 0).toISOString();
  assert.equal(
    up(7_260_000, old),
    `${begin} 2 h 1 min, since 2020-02-03 22:00:00`,
  );
});

Deno.test("scripts read one object a line, with the event first after its time", () => {
  const lines: string[] = [];
  const report = new JsonReport((line) => lines.push(line));
  tellAll(report);
  const events = lines.map((line) => {
    assert.ok(line.endsWith("\n") && line.indexOf("\n") === line.length - 1);
    const { time, ...event } = JSON.parse(line);
    assert.equal(new Date(time).toISOString(), time);
    return event;
  });
  assert.deepEqual(events.map(({ event }) => event), [
    "step",
    "step",
    "step",
    "ready",
    "link",
    "link",
    "action",
    "warning",
    "closing",
    "error",
    "closed",
  ]);
  assert.deepEqual(events.at(-2), {
    event: "error",
    code: "TAKEN",
    message: "Cannot take it",
    hint: "Ask alice",
    details: ["one", "two"],
  });
});

Deno.test("with --debug scripts read what is not for everybody as events", () => {
  const lines: string[] = [];
  const report = new JsonReport((line) => lines.push(line), { debug: true });
  report.debug("a detail");
  const { event, message } = JSON.parse(lines[0]!);
  assert.deepEqual({ event, message }, { event: "debug", message: "a detail" });
});

Deno.test("what an error says is not said again at the end", () => {
  const { report, said } = human();
  report.event({
    event: "closed",
    state: "incomplete",
    reason: "Not everything could be put back",
    exitCode: 9,
  });
  assert.equal(said.err, "");
});

const EVIL = "\x1b[2J\x1b]0;t\x07\x9b31m\r\u202egood\nError: a lie";
/** What a text of others may not bring to a terminal. */
// deno-lint-ignore no-control-regex -- they are what it is about
const OBEYED = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;

/** Every event with others' words wherever there are any. */
function tellEvil(report: Report): void {
  report.event({ event: "step", name: EVIL, state: "started" });
  report.event({ event: "step", name: EVIL, state: "failed", ms: 50 });
  report.event({ event: "ready", message: EVIL });
  report.event({ event: "ready", message: EVIL, output: EVIL });
  report.event({ event: "link", state: "down", reason: EVIL, since });
  report.event({ event: "captured", message: EVIL, cidrs: [EVIL] });
  report.event({ event: "action", state: "done", message: EVIL });
  report.warn("ODD", EVIL);
  report.event({ event: "closing", reason: EVIL });
  report.event({
    event: "error",
    code: "X",
    message: EVIL,
    hint: EVIL,
    details: [EVIL],
  });
  report.debug(EVIL);
  report.event({
    event: "closed",
    state: "restored",
    reason: EVIL,
    exitCode: 0,
  });
}

for (const width of [undefined, 30]) {
  Deno.test(`no text of others gets a terminal to obey, nor looks like a line of ours (width ${width})`, () => {
    const said = { out: "", err: "" };
    const report = new HumanReport({
      out: (text) => void (said.out += text),
      err: (text) => void (said.err += text),
      debug: true,
      live: true,
      width: () => width,
    });
    tellEvil(report);
    // our own: the line that is written over, and colours
    // deno-lint-ignore no-control-regex -- they are what it is about
    const err = said.err.replaceAll("\r\x1b[K", "").replace(/\x1b\[\d+m/g, "");
    // deno-lint-ignore no-control-regex -- they are what it is about
    const out = said.out.replace(/\x1b\[\d+m/g, "");
    assert.doesNotMatch(err, OBEYED);
    assert.doesNotMatch(out, OBEYED);
    assert.doesNotMatch(err, /^Error: a lie/m);
    assert.match(err, /^Error:\s+\^\[\[2J/m);
  });
}

Deno.test("scripts get others' texts exactly, in characters that no terminal obeys", () => {
  let lines = "";
  tellEvil(new JsonReport((line) => lines += line, { debug: true }));
  assert.doesNotMatch(lines, OBEYED);
  for (const line of lines.trim().split("\n")) {
    const { message, reason, name } = JSON.parse(line);
    assert.ok(String(message ?? reason ?? name).endsWith(EVIL));
  }
});

Deno.test("an output of its own ends with a newline", () => {
  const { report, said } = human();
  report.event({ event: "ready", message: "Ready", output: "a: 1\nb: 2" });
  report.event({ event: "ready", message: "Ready", output: "c: 3\n" });
  assert.equal(said.out, "a: 1\nb: 2\nc: 3\n");
});

Deno.test("step() gives the result on, and tells of a failure before it passes it on", async () => {
  const lines: string[] = [];
  const report = new JsonReport((line) => lines.push(line));
  assert.equal(await report.step("a", () => Promise.resolve(7)), 7);
  const failure = new Error("no");
  await assert.rejects(
    report.step("b", () => Promise.reject(failure)),
    failure,
  );
  const told = lines.map((line) => JSON.parse(line))
    .map(({ name, state }) => `${name} ${state}`);
  assert.deepEqual(told, ["a started", "a done", "b started", "b failed"]);
});

Deno.test({
  name: "colours go to what is a terminal, and to nothing else",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const file = await Deno.makeTempFile({ prefix: "ktctl-colours-" });
    const here = new URL("report_here.ts", import.meta.url).pathname;
    // of nothing else in the environment: NO_COLOR, CI, FORCE_COLOR and others decide as well
    const { PATH = "", HOME = "" } = Deno.env.toObject();
    const program =
      `env -i PATH="${PATH}" HOME="${HOME}" DENO_DIR="${await denoDir()}" TERM=xterm "${Deno.execPath()}" run -A --quiet "${here}"`;
    try {
      for (const stream of [1, 2]) {
        const { stdout } = await new Deno.Command("script", {
          args: ["-qec", `${program} ${stream}> "${file}"`, "/dev/null"],
          stdin: "null",
        }).output();
        const seen = new TextDecoder().decode(stdout);
        assert.ok(seen.includes("\x1b[3"), seen);
        const text = await Deno.readTextFile(file);
        assert.match(text, stream === 1 ? /Ready\./ : /odd/);
        assert.ok(!text.includes("\x1b"), text);
      }
    } finally {
      await Deno.remove(file);
    }
  },
});
