import assert from "node:assert/strict";
import { join } from "node:path";
import {
  FileJournal,
  type JournalHeader,
  openDeadJournals,
  replayJournal,
} from "../../../src/core/journal.ts";

const header: JournalHeader = {
  type: "session",
  version: 1,
  session: "abcde",
  pid: 1,
  command: "exchange web",
  kubeconfig: null,
  context: "test",
  server: "https://127.0.0.1:1",
  namespace: "default",
  startedAt: 1,
};

function lines(...records: unknown[]): string {
  return records.map((record) => JSON.stringify(record) + "\n").join("");
}

Deno.test("a journal's replay gives what is not reverted, newest first", () => {
  const text = lines(
    header,
    { type: "intent", n: 0, step: "a", args: {} },
    { type: "applied", n: 0 },
    { type: "intent", n: 1, step: "b", args: { x: 1 } },
    { type: "intent", n: 2, step: "c", args: {} },
    { type: "reverted", n: 1 },
  );
  const { pending } = replayJournal(text);
  assert.deepEqual(pending.map(({ step }) => step), ["c", "a"]);
});

Deno.test("a line torn by a crash does not hide those before it", () => {
  const intent = { type: "intent", n: 0, step: "a", args: {} };
  const text = lines(header, intent) + '{"type":"reverted","n"';
  const replayed = replayJournal(text);
  assert.deepEqual(replayed.header, header);
  assert.deepEqual(replayed.pending.map(({ step }) => step), ["a"]);
});

Deno.test("the journal of a living process is left alone; that of a killed one is found", async () => {
  const dir = await Deno.makeTempDir();
  const code = `
    import { FileJournal } from ${
    JSON.stringify(new URL("../../../src/core/journal.ts", import.meta.url))
  };
    const journal = new FileJournal(${JSON.stringify(dir)}, ${
    JSON.stringify(header)
  });
    journal.append({ type: "intent", n: 0, step: "a", args: {} });
    console.log("written");
    setInterval(() => {}, 1000);
  `;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", code],
    stdout: "piped",
  }).spawn();
  try {
    const reader = child.stdout.getReader();
    await reader.read();
    assert.deepEqual(openDeadJournals(dir), []);
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
    const [dead] = openDeadJournals(dir);
    assert.equal(dead?.header.session, "abcde");
    assert.deepEqual(dead.pending.map(({ step }) => step), ["a"]);
    assert.deepEqual(openDeadJournals(dir), [], "locked while it is open");
    dead.markReverted(0);
    dead[Symbol.dispose]();
    using again = openDeadJournals(dir)[0];
    assert.deepEqual(again?.pending, []);
    again?.remove();
    assert.deepEqual([...Deno.readDirSync(dir)], []);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("only its owner may read a journal", async () => {
  const dir = join(await Deno.makeTempDir(), "sessions");
  const journal = new FileJournal(dir, header);
  const { mode } = await Deno.stat(journal.path);
  assert.equal(mode! & 0o077, 0);
  journal.close();
  await Deno.remove(dir, { recursive: true });
});
