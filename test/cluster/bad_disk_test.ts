// The disk of the journal becomes full, or fails, before, in the midst of, and after a start.
import assert from "node:assert/strict";
import { BadDisk } from "./bad_disk.ts";
import { openTestCluster, succeeded, type TestNamespace } from "./cluster.ts";
import { answerOf, eventually, Laptop, reaches, settled } from "./laptop.ts";

const PAGE = 4096;

/** ktctl with its journals on the disk. */
function on(disk: BadDisk) {
  return { within: disk.within, stateHome: disk.path };
}

async function journals(disk: BadDisk): Promise<string[]> {
  const list = `ls ${disk.path}/ktctl/sessions 2>&- || :`;
  return (await disk.run("sh", "-c", list)).split("\n").filter(Boolean);
}

function journalText(disk: BadDisk): Promise<string> {
  return disk.run("sh", "-c", `cat ${disk.path}/ktctl/sessions/*`);
}

interface Scene {
  readonly namespace: TestNamespace;
  readonly laptop: Laptop;
  readonly kubeconfig: string;
  readonly before: string;
  readonly args: string[];
}

async function scene(
  work: (scene: Scene) => Promise<void>,
): Promise<void> {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  const args = ["exchange", "web", "--expose", `${laptop.demo.port}:80`];
  const { kubeconfig } = cluster;
  await work({ namespace, laptop, kubeconfig, before, args });
}

/** A kubeconfig whose path, which is in the first line of a journal, is so much longer. */
async function longPath(
  kubeconfig: string,
  { folder, by }: { folder: string; by: number },
): Promise<string> {
  const names: string[] = [];
  for (let left = by; left > 0; left -= 201) {
    names.push("x".repeat(Math.min(200, Math.max(1, left - 1))));
  }
  const dir = `${folder}/${names.join("/")}`;
  await Deno.mkdir(dir, { recursive: true });
  await Deno.copyFile(kubeconfig, `${dir}/config`);
  return `${dir}/config`;
}

/** Each record until `ready`, with its line's end. */
async function recordsUntilReady(
  { laptop, kubeconfig, args, namespace, before }: Scene,
): Promise<string[]> {
  await using disk = await BadDisk.small("1m");
  await using exchange = laptop.start(args, { ...on(disk), kubeconfig });
  await exchange.ready();
  const lines = (await journalText(disk)).trimEnd().split("\n");
  assert.equal((await exchange.stop()).code, 0);
  assert.equal(await settled(namespace, before), before);
  return lines.map((line) => `${line}\n`);
}

/** With the kubeconfig in a folder. */
function total(
  records: readonly string[],
  { kubeconfig, folder }: { kubeconfig: string; folder: string },
): number {
  return records.join("").length - kubeconfig.length +
    `${folder}/config`.length;
}

Deno.test("a start on a full disk changes nothing, and says what helps", async () => {
  await scene(async ({ namespace, laptop, before, args }) => {
    await using disk = await BadDisk.small("8k");
    await disk.fill();
    const { code, error, stdout } = await laptop.run(args, on(disk));
    assert.equal(code, 4, stdout);
    assert.equal(error?.["code"], "JOURNAL_UNWRITABLE");
    assert.match(error["message"], /No space left on device/);
    assert.match(error["hint"], /Make room there, or name another directory/);
    assert.equal(await namespace.snapshot(), before);
    assert.deepEqual(await journals(disk), []);
  });
});

Deno.test("a disk that becomes full at any record of a start: it fails, says why, and takes back what it did", async () => {
  await scene(async (place) => {
    const { namespace, laptop, before, args, kubeconfig } = place;
    const records = await recordsUntilReady(place);
    assert.ok(records.length > 8, `${records.length} records before ready`);
    const folder = await Deno.makeTempDir();
    for (const [at, record] of records.entries()) {
      // the first has all the room, and what is undone needs no record
      if (at === 0 || record.includes('"reverted"')) continue;
      const sum = total(records.slice(0, at), { kubeconfig, folder });
      // there is room for half of it
      const by = PAGE - sum - Math.floor(record.length / 2);
      await using disk = await BadDisk.small("4k");
      const { code, error, stdout } = await laptop.run(args, {
        ...on(disk),
        kubeconfig: await longPath(kubeconfig, { folder, by }),
      });
      const why = `record ${at}: ${stdout}`;
      assert.equal(code, 4, why);
      assert.equal(error?.["code"], "JOURNAL_UNWRITABLE", why);
      assert.doesNotMatch(stdout, /"ready"/, why);
      assert.equal(await settled(namespace, before), before, why);
      assert.deepEqual(await journals(disk), [], why);
    }
    await Deno.remove(folder, { recursive: true });
  });
});

Deno.test("a disk that is full after the start is in the way of no end, and of no new pod once there is room", async () => {
  await scene(async (place) => {
    const { namespace, laptop, before, args, kubeconfig } = place;
    const folder = await Deno.makeTempDir();
    const records = await recordsUntilReady(place);
    await using disk = await BadDisk.small("8k");
    await using exchange = laptop.start(args, {
      ...on(disk),
      // no other record has room on the page
      kubeconfig: await longPath(kubeconfig, {
        folder,
        by: PAGE - 16 - total(records, { kubeconfig, folder }),
      }),
    });
    await exchange.ready();
    const client = await namespace.client();
    await reaches(client);
    await disk.fill();
    succeeded(
      await namespace.kubectl([
        "delete",
        "pods",
        "-l",
        "kt-role",
        "--wait=false",
      ]),
    );
    const warned = await exchange.event(({ code }) =>
      code === "JOURNAL_UNWRITABLE"
    );
    assert.match(JSON.stringify(warned), /No space left/);
    await reaches(client, { name: "web-", withinMs: 5_000 });
    const back = exchange.linkUp();
    await disk.makeRoom();
    await back;
    await reaches(client);
    await disk.fill();
    const { code, stdout } = await exchange.stop();
    assert.equal(code, 0, stdout);
    assert.equal(await settled(namespace, before), before);
    assert.deepEqual(await journals(disk), []);
    await Deno.remove(folder, { recursive: true });
  });
});

Deno.test("a disk that fails while ktctl runs is in the way of no end: all is restored, and a warning tells of the record", async () => {
  await scene(async ({ namespace, laptop, before, args }) => {
    await using disk = await BadDisk.failing();
    await using exchange = laptop.start(args, on(disk));
    await exchange.ready();
    await disk.fail();
    const { code, events, stdout } = await exchange.stop();
    assert.equal(code, 0, stdout);
    const warning = events.find(({ event }) => event === "warning");
    assert.equal(warning?.["code"], "JOURNAL_UNWRITABLE", stdout);
    assert.match(warning["message"], /Everything is restored, but its record/);
    assert.equal(await settled(namespace, before), before);
    assert.equal((await journals(disk)).length, 1);

    const again = await laptop.run(args, on(disk));
    assert.equal(again.code, 4, again.stdout);
    assert.match(again.error?.["hint"], /Make that disk writable again, or /);
    assert.equal(await namespace.snapshot(), before);
    const cleaned = await laptop.run(["clean"], on(disk));
    assert.equal(cleaned.code, 0, cleaned.stdout);
    assert.doesNotMatch(cleaned.stdout, /"action"/, "nothing is left to do");
  });
});

Deno.test("what died on a disk that failed is taken back by the next command of that laptop", async () => {
  await scene(async ({ namespace, laptop, before, args }) => {
    await using disk = await BadDisk.failing();
    const client = await namespace.client();
    await using exchange = laptop.start(args, on(disk));
    await exchange.ready();
    await reaches(client);
    await disk.fail();
    await exchange.stop("SIGKILL");
    await reaches(client, { name: "web-", withinMs: 5_000 });
    const cleaned = await laptop.run(["clean"], on(disk));
    assert.equal(cleaned.code, 0, cleaned.stdout);
    assert.match(cleaned.stdout, /switched selector of Service/);
    assert.equal(await settled(namespace, before), before);
    await eventually(
      "the original answers",
      async () => (await answerOf(client)).startsWith("web-"),
    );
  });
});
