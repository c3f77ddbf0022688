import assert from "node:assert/strict";
import { join } from "node:path";
import { PermissionError } from "../../../src/core/errors.ts";
import {
  FileJournal,
  type JournalHeader,
  openDeadJournals,
  replayJournal,
} from "../../../src/undo/journal.ts";
import { liveSessions } from "../../../src/undo/live_sessions.ts";

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

function never(path: string, reason: string): never {
  assert.fail(`${path}: ${reason}`);
}

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

Deno.test("a line torn by a crash does not take the next one with it", async () => {
  const dir = await Deno.makeTempDir();
  const path = join(dir, "abcde.jsonl");
  const intent = (n: number) => ({ type: "intent", n, step: "a", args: {} });
  const whole = lines(header, intent(0), intent(1));
  await Deno.writeTextFile(path, `${whole}{"type":"inte\u00e9`);
  {
    using dead = openDeadJournals(dir, never)[0]!;
    assert.equal(await Deno.readTextFile(path), `${whole}{"type":"inte\u00e9`);
    dead.markReverted(1);
    dead.markReverted(0);
  }
  using again = openDeadJournals(dir, never)[0]!;
  assert.deepEqual(again.pending, []);
  await Deno.remove(dir, { recursive: true });
});

const intent = { type: "intent", n: 0, step: "a", args: {} };
const DAMAGED: Readonly<Record<string, string>> = {
  "of another version": lines({ ...header, version: 2 }, intent),
  "without a header": lines(intent),
  "with two headers": lines(header, intent, header),
  "with a kind of line that is not known": lines(header, { type: "undone" }),
  "with a change without a number": lines(header, { ...intent, n: null }),
  "with a change that is a list": lines(header, [intent]),
  "with garbage in between": `${lines(header)}\0\0\0\n${lines(intent)}`,
};

for (const [what, text] of Object.entries(DAMAGED)) {
  Deno.test(`a journal ${what} is told, and stays as it is`, async () => {
    const dir = await Deno.makeTempDir();
    const path = join(dir, "abcde.jsonl");
    await Deno.writeTextFile(path, text);
    const told: string[] = [];
    const dead = openDeadJournals(dir, (_, reason) => told.push(reason));
    assert.deepEqual(dead, []);
    assert.match(told.join(), /^line \d is not as this version writes it$/);
    assert.equal(await Deno.readTextFile(path), text);
    await Deno.remove(dir, { recursive: true });
  });
}

Deno.test("the journal of a living process is left alone; that of a killed one is found", async () => {
  const dir = await Deno.makeTempDir();
  const code = `
    import { FileJournal } from ${
    JSON.stringify(new URL("../../../src/undo/journal.ts", import.meta.url))
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
    assert.deepEqual(openDeadJournals(dir, never), []);
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
    const [dead] = openDeadJournals(dir, never);
    assert.equal(dead?.header.session, "abcde");
    assert.deepEqual(dead.pending.map(({ step }) => step), ["a"]);
    assert.deepEqual(
      openDeadJournals(dir, never),
      [],
      "locked while it is open",
    );
    dead.markReverted(0);
    dead[Symbol.dispose]();
    using again = openDeadJournals(dir, never)[0];
    assert.deepEqual(again?.pending, []);
    again?.remove();
    assert.deepEqual([...Deno.readDirSync(dir)], []);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("a directory that cannot be written is named, with what to do", async () => {
  const dir = await Deno.makeTempDir();
  const blocked = join(dir, "sessions");
  await Deno.writeTextFile(blocked, "a file, where the directory should be");
  assert.throws(() => new FileJournal(blocked, header), (error) => {
    assert.ok(error instanceof PermissionError);
    assert.equal(error.code, "JOURNAL_UNWRITABLE");
    assert.ok(error.message.includes(blocked));
    assert.match(error.hint ?? "", /XDG_STATE_HOME/);
    return true;
  });
  await Deno.remove(dir, { recursive: true });
});

Deno.test("a journal that cannot be read is told and left out, the others are found", async () => {
  const dir = await Deno.makeTempDir();
  await Deno.mkdir(join(dir, "theirs.jsonl")); // root can read whatever is a file
  const journal = new FileJournal(dir, header);
  journal.close();
  const unreadable: string[] = [];
  const [dead, ...others] = openDeadJournals(
    dir,
    (path) => unreadable.push(path),
  );
  assert.equal(dead?.header.session, "abcde");
  assert.deepEqual(others, []);
  assert.deepEqual(unreadable, [join(dir, "theirs.jsonl")]);
  dead[Symbol.dispose]();
  await Deno.remove(dir, { recursive: true });
});

Deno.test("what another cleaner deleted in between is passed over, and is no error to remove", async () => {
  const dir = await Deno.makeTempDir();
  new FileJournal(dir, header).close();
  using dead = openDeadJournals(dir, never)[0];
  dead?.remove();
  dead?.remove();
  assert.deepEqual(openDeadJournals(dir, never), []);
  await Deno.remove(dir, { recursive: true });
  assert.deepEqual(openDeadJournals(dir, never), []);
});

Deno.test("a cleaner that takes a journal between its making and its locking costs nothing", async () => {
  const dir = await Deno.makeTempDir();
  const { lockSync } = Deno.FsFile.prototype;
  let taken = 0;
  Deno.FsFile.prototype.lockSync = function (exclusive) {
    if (taken++ === 0) assert.deepEqual(openDeadJournals(dir, never), []);
    return lockSync.call(this, exclusive);
  };
  try {
    const journal = new FileJournal(dir, header);
    assert.equal(taken, 2, "the first file was deleted");
    journal.append({ type: "intent", n: 0, step: "a", args: {} });
    const text = await Deno.readTextFile(journal.path);
    assert.equal(replayJournal(text).pending.length, 1);
    assert.deepEqual(openDeadJournals(dir, never), [], "it is locked");
    journal.close();
  } finally {
    Deno.FsFile.prototype.lockSync = lockSync;
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

Deno.test("where a lock keeps readers off, it is on a file beside the journal, and goes with it", () => {
  const dir = Deno.makeTempDirSync();
  const windows = { os: "windows" } as const;
  const names = () => [...Deno.readDirSync(dir)].map(({ name }) => name).sort();
  const alive = new FileJournal(dir, header, windows);
  alive.append({ type: "intent", n: 0, step: "a", args: {} });
  assert.deepEqual(names(), ["abcde.jsonl", "abcde.jsonl.lock"]);
  // as a journal under a lock that is not advisory, it could not be read else
  using other = Deno.openSync(alive.path, { read: true });
  assert.ok(other.tryLockSync(true));
  other.unlockSync();
  assert.deepEqual(openDeadJournals(dir, never, windows), []);
  assert.deepEqual(liveSessions(dir, windows).map(({ session }) => session), [
    "abcde",
  ]);
  alive.close();
  assert.deepEqual(liveSessions(dir, windows), []);
  {
    using dead = openDeadJournals(dir, never, windows)[0]!;
    assert.deepEqual(openDeadJournals(dir, never, windows), [], "held already");
    assert.deepEqual(dead.pending.map(({ step }) => step), ["a"]);
    dead.markReverted(0);
    dead.remove();
  }
  assert.deepEqual(names(), []);
  const ended = new FileJournal(dir, header, windows);
  ended.remove();
  ended.close();
  assert.deepEqual(names(), []);
  Deno.removeSync(dir);
});
