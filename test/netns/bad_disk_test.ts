// What a journal's disk may do to it: become full, be read only, have no locks.
import assert from "node:assert/strict";
import { run } from "../cluster/command.ts";
import { TextLineStream } from "../cluster/text_line_stream.ts";
import { TempFolder } from "../unit/kube/temp_folder.ts";
import { replayJournal } from "../../src/undo/journal.ts";
import { BadDisk } from "../cluster/bad_disk.ts";
import type { JournalSession, SessionSaid } from "./journal_session.ts";
import { obstacleWithout } from "./packages.ts";

const obstacle = await obstacleWithout({
  "mkfs.ext4": "e2fsprogs",
  findmnt: "util-linux",
  strace: "strace",
});

function test(claim: string, fn: () => Promise<void>): void {
  const name = obstacle === undefined ? claim : `${claim} (${obstacle})`;
  Deno.test({ name, ignore: obstacle !== undefined, fn });
}

const SCRIPT = new URL("journal_session.ts", import.meta.url).pathname;

function words(config: JournalSession): string[] {
  return [
    ...[Deno.execPath(), "run", "-A", "--quiet", SCRIPT],
    JSON.stringify(config),
  ];
}

/** A session, and what its disk does between its start and its end. */
async function session(
  within: readonly string[],
  config: JournalSession,
  meanwhile: () => Promise<unknown> = () => Promise.resolve(),
): Promise<SessionSaid | undefined> {
  const [program, ...args] = [...within, ...words(config)];
  const child = new Deno.Command(program!, {
    args,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream()).getReader();
  let { value: line } = await lines.read();
  if (line === "made") {
    await meanwhile();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode("\n"));
    writer.releaseLock();
    ({ value: line } = await lines.read());
  }
  await child.stdin.close().catch(() => {}); // it has ended
  await child.status;
  await lines.cancel();
  return line === undefined ? undefined : JSON.parse(line);
}

const files = (folder: string) =>
  [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

test("a full disk lets nothing begin: the error tells it, and leaves no journal", async () => {
  await using disk = await BadDisk.small("8k");
  await using changes = await TempFolder.make();
  await disk.run("mkdir", `${disk.path}/sessions`);
  await disk.fill();
  const said = await session(disk.within, {
    dir: `${disk.path}/sessions`,
    changes: changes.path,
    does: "start",
  });
  assert.equal(said?.error?.code, "JOURNAL_UNWRITABLE");
  assert.match(said.error.message, /No space left on device/);
  assert.match(said.error.hint ?? "", /Make room there, or .*XDG_STATE_HOME/);
  assert.deepEqual(files(changes.path), []);
  assert.equal(await disk.run("ls", `${disk.path}/sessions`), "");
});

test("a disk that becomes full in the midst of a line: no change is made without its record, all are taken back", async () => {
  await using disk = await BadDisk.small("8k");
  await using changes = await TempFolder.make();
  let made = 0;
  const said = await session(disk.within, {
    dir: `${disk.path}/sessions`,
    changes: changes.path,
    does: "start and end",
  }, async () => {
    const text = await disk.run("sh", "-c", `cat ${disk.path}/sessions/*`);
    assert.ok(text.endsWith("\n"), "no line is torn");
    const { pending, unreadable } = replayJournal(text);
    assert.equal(unreadable, undefined);
    made = files(changes.path).length;
    assert.equal(pending.length, made);
    await disk.fill();
  });
  assert.equal(said?.error?.code, "JOURNAL_UNWRITABLE");
  assert.ok(made > 3, `${made}`);
  assert.equal(said.cleanup, undefined);
  assert.deepEqual(files(changes.path), []);
  assert.equal(await disk.run("ls", `${disk.path}/sessions`), "");
});

test("what died on a full disk is taken back whole while the disk is full", async () => {
  await using disk = await BadDisk.small("8k");
  await using changes = await TempFolder.make();
  const where = { dir: `${disk.path}/sessions`, changes: changes.path };
  // there is room for some of the records that they were taken back
  const config = { ...where, does: "start and die", count: 36 } as const;
  await session(disk.within, config, () => disk.fill());
  assert.equal(files(changes.path).length, 36);
  const said = await session(disk.within, { ...where, does: "sweep" });
  assert.equal(said?.error, undefined);
  assert.equal(said?.reverted.length, 36);
  assert.deepEqual(files(changes.path), []);
  assert.equal(await disk.run("ls", where.dir), "");
});

test("a disk that fails in the midst of a session, and can be read only, keeps nothing from being taken back", async () => {
  await using disk = await BadDisk.failing();
  await using changes = await TempFolder.make();
  const where = { dir: `${disk.path}/sessions`, changes: changes.path };
  const said = await session(
    disk.within,
    { ...where, does: "start and end", count: 5 },
    async () => {
      assert.equal(files(changes.path).length, 5);
      await disk.fail();
    },
  );
  assert.equal(said?.error, undefined);
  assert.match(said?.cleanup ?? "", /Read-only file system/, "told by whoever");
  assert.deepEqual(files(changes.path), []);
  const begun = await session(disk.within, { ...where, does: "start" });
  assert.equal(begun?.error?.code, "JOURNAL_UNWRITABLE");
  assert.match(begun.error.hint ?? "", /Make that disk writable again, or /);
  assert.deepEqual(files(changes.path), []);
});

test("what died on a disk that can be read only since is taken back all the same, once", async () => {
  await using disk = await BadDisk.failing();
  await using changes = await TempFolder.make();
  const where = { dir: `${disk.path}/sessions`, changes: changes.path };
  const config = { ...where, does: "start and die", count: 5 } as const;
  await session(disk.within, config, () => disk.fail());
  const said = await session(disk.within, { ...where, does: "sweep" });
  assert.equal(said?.reverted.length, 5);
  assert.deepEqual(said?.unreadable, []);
  assert.match(said?.error?.message ?? "", /Read-only file system/); // of its removal
  assert.deepEqual(files(changes.path), []);
  const again = await session(disk.within, { ...where, does: "sweep" });
  assert.deepEqual(again?.reverted, [], "it is gone, and not told again");
});

for (const errno of ["ENOLCK", "EOPNOTSUPP", "ENOSYS"]) {
  test(`a file system without locks (${errno}) lets nothing begin, and nobody take a living session for a dead one`, async () => {
    await using folder = await TempFolder.make();
    await using changes = await TempFolder.make();
    const where = { dir: `${folder.path}/sessions`, changes: changes.path };
    const lockless = [
      ...["strace", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null"],
      ...["-e", "trace=flock", "-e", `inject=flock:error=${errno}`],
    ];
    const said = await session(lockless, { ...where, does: "start" });
    assert.equal(said?.error?.code, "JOURNAL_UNWRITABLE");
    assert.match(said.error.message, /its file system cannot lock files: /);
    assert.match(said.error.hint ?? "", /on a disk of this machine, or /);
    assert.deepEqual(files(changes.path), []);
    assert.deepEqual(files(where.dir), []);

    const config = { ...where, does: "start and die", count: 3 } as const;
    await session(["env"], config, async () => {
      const swept = await session(lockless, { ...where, does: "sweep" });
      assert.deepEqual(swept?.reverted, []);
      assert.match(swept?.unreadable.join() ?? "", /cannot lock files: /);
      assert.match(swept?.unreadable.join() ?? "", /Copy it to a disk of this/);
      assert.equal(files(changes.path).length, 3);
    });
    const swept = await session(["env"], { ...where, does: "sweep" });
    assert.equal(swept?.reverted.length, 3);
  });
}

test("where locks are seen by their own machine alone, no other one takes a living session for a dead one", async () => {
  await using folder = await TempFolder.make();
  await using changes = await TempFolder.make();
  const where = { dir: `${folder.path}/sessions`, changes: changes.path };
  // as on NFS with local locks
  const ownLocks = [
    ...["strace", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null"],
    ...["-e", "trace=flock", "-e", "inject=flock:retval=0"],
  ];
  const on = (machine: string) => {
    const put = `mount -t tmpfs tmpfs /mnt
cp -a /etc /mnt/etc
echo ${machine} > /mnt/etc/machine-id
mount --bind /mnt/etc /etc
exec "$@"`;
    const own = ["unshare", "--mount", "--propagation=private"];
    return [...own, "sh", "-ec", put, "sh", ...ownLocks];
  };
  const [here, there] = [on("a".repeat(32)), on("b".repeat(32))];
  const config = { ...where, does: "start and die", count: 3 } as const;
  await session(here, config, async () => {
    const swept = await session(there, { ...where, does: "sweep" });
    assert.deepEqual(swept?.reverted, []);
    assert.match(
      swept?.unreadable.join() ?? "",
      /it is another machine's\. Run `ktctl clean` there; /,
    );
    assert.equal(files(changes.path).length, 3);
  });
  const swept = await session(here, { ...where, does: "sweep" });
  assert.equal(swept?.reverted.length, 3);
});

test("another user's journal is told, with whose turn it is, and left as it is", async () => {
  await using folder = await TempFolder.make();
  await using changes = await TempFolder.make();
  const where = { dir: `${folder.path}/sessions`, changes: changes.path };
  const config = { ...where, does: "start and die", count: 2 } as const;
  await session(["env"], config);
  await run("sh", ["-c", `chown 65534 ${where.dir}/*`]);
  // who is not almighty
  const asOther = [
    ...["setpriv", "--bounding-set=-dac_override,-dac_read_search"],
    "--inh-caps=-dac_override,-dac_read_search",
  ];
  const said = await session(asOther, { ...where, does: "sweep" });
  assert.deepEqual(said?.reverted, []);
  assert.match(said?.unreadable.join() ?? "", /Permission denied/);
  assert.match(said?.unreadable.join() ?? "", /as the user who owns it\.$/);
  assert.equal(files(changes.path).length, 2);
});
