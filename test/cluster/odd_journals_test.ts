// The journal of a killed session is not as ktctl left it. Its Service goes on to be answered, whatever
// command comes next on that laptop, and `clean` restores it.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { openTestCluster } from "./cluster.ts";
import { answerOf, eventuallyByRuns, Laptop, reaches } from "./laptop.ts";
import type { JournalRecord } from "../../src/undo/journal_record.ts";

/** Of the journal, as text; in place of it stands what comes back. */
type Change = (text: string, path: string) => string | Promise<string>;

interface Odd {
  readonly change: Change;
  /** The warning of the next command; none where all is taken back as ever. */
  readonly warning?: readonly [code: string, text: RegExp];
  /** Whether `clean` ends with another code than 0 for as long as the file is there. */
  readonly keepsClean?: boolean;
}

const lines = (text: string) => text.trimEnd().split("\n");
const whole = (of: readonly string[]) => of.map((line) => `${line}\n`).join("");
const isRestoring = (line: string) => line.includes('"service.selector"');

const unreadable = (text: RegExp) => ["JOURNAL_UNREADABLE", text] as const;

const ODD: Readonly<Record<string, Odd>> = {
  "of a newer version": {
    change: (text) => text.replace('"version":1', '"version":2'),
    warning: unreadable(
      /line 1 is not as this version writes it\. Run `ktctl clean` with the version of ktctl that wrote it\.$/,
    ),
  },
  "with a kind of record that is not known": {
    change: (text) => `${text}{"type":"moved","n":0}\n`,
    warning: unreadable(/line \d+ is not as this version writes it/),
  },
  "of 100 MB": {
    change: (text) => text + "\n".repeat(100_000_000),
    warning: unreadable(/it is too large/),
  },
  "with a step that is not known": {
    change(text) {
      const intent: JournalRecord = {
        ...{ type: "intent", n: 1_000, step: "new.step", args: {} },
      };
      return `${text}${JSON.stringify(intent)}\n`;
    },
    warning: ["STEP_UNKNOWN", /no plugin here knows the step "new\.step"/],
    keepsClean: true,
  },
  "cut in the midst of a line": {
    change(text) {
      const all = lines(text);
      const at = all.findIndex(isRestoring);
      return whole(all.slice(0, at)) + all[at]!.slice(0, 40);
    },
  },
  "without its last lines, which restore": {
    change(text) {
      const all = lines(text);
      return whole(all.slice(0, all.findIndex(isRestoring)));
    },
  },
  "without anything in it": { change: () => "" },
  "of a process whose id another program has now": {
    change: (text) => text.replace(/"pid":\d+/, `"pid":${Deno.pid}`), // this test's, which lives
  },
};

for (
  const [what, { change, warning, keepsClean = false }] of Object.entries(ODD)
) {
  Deno.test(`a journal ${what}: the Service is answered whatever comes next, and clean restores it`, async () => {
    const cluster = await openTestCluster();
    await using namespace = await cluster.demo();
    const client = await namespace.client();
    await using laptop = await Laptop.open(cluster, namespace);
    const before = await namespace.snapshot();
    const expose = ["--expose", `${laptop.demo.port}:80`];
    await using exchange = laptop.start(["exchange", "web", ...expose]);
    await exchange.ready();
    await reaches(client);
    await exchange.stop("SIGKILL");
    await reaches(client, { name: "web-", withinMs: 5_000 });

    const [name] = laptop.journals();
    const path = `${laptop.stateHome}/ktctl/sessions/${name}`;
    const text = await Deno.readTextFile(path);
    assert.ok(lines(text).some(isRestoring), text);
    await Deno.writeTextFile(path, await change(text, path));

    await using next = laptop.start(["preview", "mine", ...expose]);
    await next.ready();
    const { events, stdout } = await next.stop();
    const codes = events.filter(({ event }) => event === "warning");
    if (warning !== undefined) {
      const found = codes.find(({ code }) => code === warning[0]);
      assert.match(found?.["message"] ?? "", warning[1], stdout);
    }
    for (let i = 0; i < 10; i++) {
      assert.match(await answerOf(client), /^web-/, "nobody answers");
      await sleep(200);
    }

    await eventuallyByRuns("clean restores all", async () => {
      const { code, stdout } = await laptop.run([
        ...["clean", "--thresholdInMinus", "0"],
      ]);
      assert.equal(code, keepsClean ? 9 : 0, stdout);
      return keepsClean || await namespace.snapshot() === before;
    });
    if (warning === undefined) assert.deepEqual(laptop.journals(), []);
    else assert.deepEqual(laptop.journals(), [name], "it is somebody's yet");
    for (let i = 0; i < 5; i++) assert.match(await answerOf(client), /^web-/);
  });
}
