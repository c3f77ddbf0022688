import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import fc from "fast-check";
import { FileJournal } from "../../../src/undo/journal.ts";
import { LineSplitter } from "../../../src/helper/line_splitter.ts";
import { pendingHelperJournals } from "../../../src/helper/pending_helper_journals.ts";
import {
  type HelperAnswer,
  MAX_LINE_BYTES,
  parseAnswer,
} from "../../../src/helper/protocol.ts";
import { FakeWorld, serve, startPair, TemporaryFolder } from "./helper_pair.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** All that a helper answers to an input, and its exit code. */
async function talk(
  world: FakeWorld,
  folder: string,
  ...input: Uint8Array[]
): Promise<{ answers: HelperAnswer[]; code: number }> {
  const helper = serve(world, folder);
  const reading = (async () => {
    const answers: HelperAnswer[] = [];
    const lines = new LineSplitter();
    for await (const chunk of helper.stdout) {
      for (const line of lines.push(chunk)) answers.push(parseAnswer(line));
    }
    return answers;
  })();
  const writer = helper.stdin.getWriter();
  // the helper may end before it has read all
  for (const chunk of input) writer.write(chunk).catch(() => {});
  writer.close().catch(() => {});
  return { answers: await reading, code: await helper.code };
}

function deadJournal(folder: string, session: string, names: string[]): void {
  const journal = new FileJournal(folder, {
    type: "session",
    version: 1,
    session,
    pid: 1,
    command: "root helper",
    kubeconfig: null,
    context: "",
    server: "",
    namespace: "",
    startedAt: 0,
  });
  names.forEach((name, n) =>
    journal.append({ type: "intent", n, step: "fake.thing", args: { name } })
  );
  journal.close();
}

Deno.test("bytes that are no requests are answered by an error, run nothing, and end the helper", async () => {
  using folder = new TemporaryFolder();
  const noise = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 100 }),
    fc.json().map(bytes),
    fc.constantFrom(
      `{"id":1,"open":"thing.open","args":{"name":"a"},"x":1}`,
      `{"id":1,"open":{"name":"thing.open"},"args":{"name":"a"}}`,
    ).map(bytes),
  );
  await fc.assert(
    fc.asyncProperty(noise, async (line) => {
      const world = new FakeWorld();
      const { answers, code } = await talk(
        world,
        folder.path,
        line,
        bytes("\n"),
      );
      assert.equal(code, 2);
      assert.deepEqual(answers.map((one) => Object.keys(one)[0]), [
        "hello",
        "id",
        "bye",
      ]);
      assert.deepEqual(world.log, []);
    }),
    { numRuns: 50 },
  );
  assert.deepEqual(folder.journals, []);
});

Deno.test("a line that breaks the protocol has everything taken back; the rest is not read", async () => {
  using folder = new TemporaryFolder();
  const one = `{"id":1,"open":"thing.open","args":{"name":"a"}}\n`;
  const two = `{"id":2,"open":"thing.open","args":{"name":"b"}}\n`;
  const breaks = [
    "{\n",
    `${" ".repeat(MAX_LINE_BYTES + 1)}`,
    one, // its id was used
  ];
  for (const broken of breaks) {
    const world = new FakeWorld();
    const helper = serve(world, folder.path);
    const writer = helper.stdin.getWriter();
    await writer.write(bytes(one));
    const reader = helper.stdout.getReader();
    let text = "";
    while (!text.includes(`"ok"`)) {
      text += new TextDecoder().decode((await reader.read()).value);
    }
    assert.deepEqual(world.things, ["a"]);
    writer.write(bytes(broken + two)).catch(() => {});
    assert.equal(await helper.code, 2);
    assert.deepEqual(world.log, ["+a", "-a"]);
    await reader.cancel();
  }
});

Deno.test("a request whose line has no end is not carried out", async () => {
  using folder = new TemporaryFolder();
  const world = new FakeWorld();
  const { code } = await talk(
    world,
    folder.path,
    bytes(`{"id":1,"open":"thing.open","args":{"name":"a"}}`),
  );
  assert.equal(code, 0);
  assert.deepEqual(world.log, []);
});

Deno.test("what a dead helper left is taken back first, newest first, and told", async () => {
  using folder = new TemporaryFolder();
  deadJournal(folder.path, "helper-dead", ["a", "b"]);
  const world = new FakeWorld();
  world.things.push("a", "b");
  assert.deepEqual(pendingHelperJournals(folder.path), {
    journals: 1,
    changes: 2,
    isUnreadable: false,
    isAnyAlive: false,
  });
  const { answers: [hello] } = await talk(world, folder.path);
  assert.ok(hello && "hello" in hello);
  assert.deepEqual(hello.hello.swept, ["thing b", "thing a"]);
  assert.deepEqual(hello.hello.left, []);
  assert.deepEqual(world.things, []);
  assert.deepEqual(folder.journals, []);
  assert.equal(pendingHelperJournals(folder.path).journals, 0);
});

Deno.test("a helper that lives is seen, and its changes are no leftovers", async () => {
  using folder = new TemporaryFolder();
  const { client, code } = await startPair(new FakeWorld(), folder.path);
  await client.open("thing.open", { name: "a" });
  assert.deepEqual(pendingHelperJournals(folder.path), {
    journals: 0,
    changes: 0,
    isUnreadable: false,
    isAnyAlive: true,
  });
  await client[Symbol.asyncDispose]();
  assert.equal(await code, 0);
  assert.equal(pendingHelperJournals(folder.path).isAnyAlive, false);
});

Deno.test("what cannot be taken back of a dead helper is told with its command, and tried again by the next", async () => {
  using folder = new TemporaryFolder();
  deadJournal(folder.path, "helper-dead", ["a", "b"]);
  const world = new FakeWorld();
  world.stuck.add("a");
  const first = (await talk(world, folder.path)).answers[0];
  assert.ok(first && "hello" in first);
  assert.deepEqual(first.hello.swept, ["thing b"]);
  assert.deepEqual(first.hello.left, [
    "thing a: It is stuck; to undo: rm a",
  ]);
  world.stuck.clear();
  const second = (await talk(world, folder.path)).answers[0];
  assert.ok(second && "hello" in second);
  assert.deepEqual(second.hello.swept, ["thing a"]);
  assert.deepEqual(folder.journals, []);
});

Deno.test("a folder that cannot be written is told instead of a hello, and nothing is done", async () => {
  const world = new FakeWorld();
  const { answers, code } = await talk(
    world,
    "/dev/null/ktctl",
    bytes(`{"id":1,"open":"thing.open","args":{"name":"a"}}\n`),
  );
  assert.equal(code, 4);
  assert.equal(answers.length, 1);
  assert.match(JSON.stringify(answers), /"bye".*JOURNAL_UNWRITABLE/);
  assert.deepEqual(world.log, []);
});

Deno.test("others see that there are journals and cannot read them; the folder goes with the last of them", async () => {
  using folder = new TemporaryFolder();
  Deno.mkdirSync(folder.path, { mode: 0o700 }); // as earlier versions made it
  const first = await startPair(new FakeWorld(), folder.path);
  const second = await startPair(new FakeWorld(), folder.path);
  const mode = (path: string) => Deno.statSync(path).mode! & 0o777;
  assert.equal(mode(folder.path), 0o755);
  assert.equal(folder.journals.length, 2);
  for (const name of folder.journals) {
    assert.equal(mode(`${folder.path}/${name}`), 0o600);
  }
  await first.client[Symbol.asyncDispose]();
  assert.equal(folder.journals.length, 1);
  await second.client[Symbol.asyncDispose]();
  await second.code;
  assert.equal(existsSync(folder.path), false);
});

Deno.test("the folder stays while a dead helper's journal is in it", async () => {
  using folder = new TemporaryFolder();
  deadJournal(folder.path, "helper-dead", ["a"]);
  const world = new FakeWorld();
  world.stuck.add("a");
  await talk(world, folder.path);
  assert.deepEqual(folder.journals, ["helper-dead.jsonl"]);
});
