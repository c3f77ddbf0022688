import assert from "node:assert/strict";
import {
  Cancelled,
  CleanupError,
  ConflictError,
  LinkError,
  UnsupportedError,
  UsageError,
} from "../../../src/core/errors.ts";
import { RootHelperClient } from "../../../src/helper/root_helper_client.ts";
import { encodeLine } from "../../../src/helper/protocol.ts";
import { FakeWorld, serve, startPair, TemporaryFolder } from "./helper_pair.ts";

const hasCode = (Class: unknown, code: string) => (error: unknown) =>
  error instanceof (Class as typeof UsageError) && error.code === code;

Deno.test("what is opened lasts until it is closed, and the rest goes in reverse order with the client", async () => {
  using folder = new TemporaryFolder();
  const world = new FakeWorld();
  const { client, code } = await startPair(world, folder.path);
  const events: unknown[] = [];
  await client.open("thing.open", { name: "a" });
  const b = await client.open(
    "thing.open",
    { name: "b" },
    (event) => events.push(event),
  );
  await client.open("thing.open", { name: "c" });
  assert.deepEqual(b.result, { made: "b" });
  assert.deepEqual(events, [{ before: "b" }]);
  assert.equal(folder.journals.length, 1);
  await b.close();
  assert.deepEqual(world.things, ["a", "c"]);
  await assert.rejects(b.close(), hasCode(UsageError, "OPERATION_NOT_OPEN"));
  await client[Symbol.asyncDispose]();
  assert.equal(await code, 0);
  assert.deepEqual(world.log, ["+a", "+b", "+c", "-b", "-c", "-a"]);
  assert.deepEqual(folder.journals, []);
});

Deno.test("events come to the one who opened, as long as it is open", async () => {
  using folder = new TemporaryFolder();
  const world = new FakeWorld();
  const { client } = await startPair(world, folder.path);
  const got = Promise.withResolvers<unknown>();
  await client.open("thing.open", { name: "a" }, (event) => {
    if (typeof event === "string") got.resolve(event);
  });
  world.emit("changed");
  assert.equal(await got.promise, "changed");
  await client[Symbol.asyncDispose]();
});

Deno.test("an error of an operation is of the same class at the client, and what was begun is taken back", async () => {
  using folder = new TemporaryFolder();
  const world = new FakeWorld();
  const { client } = await startPair(world, folder.path);
  await assert.rejects(
    client.open("thing.open", { name: "taken" }),
    hasCode(ConflictError, "TAKEN"),
  );
  await assert.rejects(client.open("thing.open", { name: "defect" }), /boom/);
  assert.deepEqual(world.things, []);
  await assert.rejects(
    client.open("thing.open", { name: "../etc" }),
    hasCode(UsageError, "OPERATION_REFUSED"),
  );
  await assert.rejects(
    client.open("rm", {}),
    hasCode(UsageError, "OPERATION_UNKNOWN"),
  );
  await client.open("thing.open", { name: "a" }); // and it goes on
  await client[Symbol.asyncDispose]();
});

Deno.test("what cannot be taken back is named with its command, by close and by the end", async () => {
  using folder = new TemporaryFolder();
  const world = new FakeWorld();
  const { client, code } = await startPair(world, folder.path);
  const a = await client.open("thing.open", { name: "a" });
  await client.open("thing.open", { name: "b" });
  world.stuck.add("a");
  const isLeft = (error: unknown) =>
    error instanceof CleanupError &&
    error.details[0] === "thing a: It is stuck; to undo: rm a";
  await assert.rejects(a.close(), isLeft);
  await assert.rejects(client[Symbol.asyncDispose](), isLeft);
  assert.deepEqual(world.things, ["a"], "b is taken back all the same");
  assert.equal(await code, 9);
  world.stuck.clear();
  const next = await startPair(world, folder.path);
  assert.deepEqual(next.client.swept, ["thing a"]);
  await next.client[Symbol.asyncDispose]();
});

Deno.test("what cannot be taken back goes to standard error where the client has gone", async () => {
  using folder = new TemporaryFolder();
  const world = new FakeWorld();
  world.stuck.add("a");
  const helper = serve(world, folder.path);
  const writer = helper.stdin.getWriter();
  const request = { id: 1, open: "thing.open", args: { name: "a" } };
  await writer.write(encodeLine(request));
  await world.has("a");
  await helper.stdout.cancel();
  await writer.close();
  assert.equal(await helper.code, 9);
  assert.match(helper.unheard.join("\n"), /thing a: .*to undo: rm a/);
});

Deno.test("SIGTERM takes everything back, and the client is told that the helper has gone", async () => {
  using folder = new TemporaryFolder();
  const world = new FakeWorld();
  const { client, terminate, code } = await startPair(world, folder.path);
  await client.open("thing.open", { name: "a" });
  terminate();
  await assert.rejects(client.failed, hasCode(LinkError, "HELPER_ENDED"));
  assert.equal(await code, 0);
  assert.deepEqual(world.things, []);
  await assert.rejects(
    client.open("thing.open", { name: "b" }),
    hasCode(LinkError, "HELPER_ENDED"),
  );
  await client[Symbol.asyncDispose]();
});

Deno.test("a defect of the helper costs no undo, and is told", async () => {
  using folder = new TemporaryFolder();
  const world = new FakeWorld();
  const { client, terminate, code } = await startPair(world, folder.path);
  await client.open("thing.open", { name: "a" });
  terminate(new RangeError("boom"));
  await assert.rejects(client.failed, /In the root helper: boom/);
  assert.equal(await code, 70);
  assert.deepEqual(world.things, []);
  await assert.rejects(client[Symbol.asyncDispose](), /boom/);
});

Deno.test("a helper that says what nobody understands is told as such", async () => {
  const output = new TransformStream<Uint8Array, Uint8Array>();
  const client = new RootHelperClient({
    stdin: new TransformStream<Uint8Array, Uint8Array>().writable,
    stdout: output.readable,
    ended: Promise.resolve(0),
  });
  const writer = output.writable.getWriter();
  writer.write(new TextEncoder().encode("Welcome!\n")).catch(() => {});
  await assert.rejects(client.ready(), hasCode(UsageError, "HELPER_PROTOCOL"));
  await assert.rejects(client.failed, hasCode(UsageError, "HELPER_PROTOCOL"));
  await client[Symbol.asyncDispose]();
});

Deno.test("a step under way at the end is waited for, then taken back; none is begun after it", async () => {
  using folder = new TemporaryFolder();
  const world = new FakeWorld();
  const { client, code } = await startPair(world, folder.path);
  const begun = Promise.withResolvers<void>();
  world.onSlow = begun.resolve;
  const slow = client.open("thing.open", { name: "slow" });
  const later = client.open("thing.open", { name: "later" });
  slow.catch(() => {});
  later.catch(() => {});
  await begun.promise;
  const disposed = client[Symbol.asyncDispose]();
  world.goOn();
  await disposed;
  assert.equal(await code, 0);
  assert.deepEqual(world.log, ["+slow", "-slow"]);
});

Deno.test("a call is given up by its deadline or its signal, and what it opens later is closed", async () => {
  using folder = new TemporaryFolder();
  const world = new FakeWorld();
  const { client } = await startPair(world, folder.path);
  const none = () => {};
  await assert.rejects(
    client.open("thing.open", { name: "slow" }, none, { timeoutMs: 20 }),
    hasCode(UnsupportedError, "HELPER_TIMEOUT"),
  );
  const controller = new AbortController();
  const second = client.open("thing.open", { name: "b" }, none, {
    signal: controller.signal,
  });
  controller.abort(new Cancelled("SIGINT"));
  await assert.rejects(second, Cancelled);
  world.goOn();
  const last = await client.open("thing.open", { name: "c" }); // waits its turn
  await last.close();
  assert.deepEqual(world.things, []);
  await client[Symbol.asyncDispose]();
});

Deno.test("something open that breaks on its own is told by failed", async () => {
  using folder = new TemporaryFolder();
  const world = new FakeWorld();
  const { client } = await startPair(world, folder.path);
  await client.open("thing.open", { name: "a" });
  world.breakDown(new UnsupportedError("BROKEN", "It broke"));
  await assert.rejects(client.failed, hasCode(UnsupportedError, "BROKEN"));
  assert.deepEqual(
    world.things,
    ["a"],
    "the client decides what becomes of it",
  );
  await client[Symbol.asyncDispose]();
});

Deno.test("a helper that dies is told by failed, by each call, and by the disposal with what may be left", async () => {
  const ended = Promise.withResolvers<number>();
  const input = new TransformStream<Uint8Array, Uint8Array>();
  const output = new TransformStream<Uint8Array, Uint8Array>();
  const writer = output.writable.getWriter();
  const client = new RootHelperClient({
    stdin: input.writable,
    stdout: output.readable,
    ended: ended.promise,
  });
  const say = (text: string) =>
    writer.write(new TextEncoder().encode(`${text}\n`));
  await say(
    `{"hello":{"version":"1","pid":1,"swept":["x"],"left":["y: by hand"]}}`,
  );
  await client.ready();
  assert.deepEqual([client.swept, client.left], [["x"], ["y: by hand"]]);
  const call = client.open("tun.open", {});
  call.catch(() => {});
  await writer.close();
  ended.resolve(137);
  const isLost = hasCode(CleanupError, "HELPER_LOST");
  await assert.rejects(client.failed, isLost);
  await assert.rejects(call, isLost);
  await assert.rejects(
    client[Symbol.asyncDispose](),
    (error) =>
      isLost(error) && error instanceof CleanupError &&
      error.details[0] === "May be left: tun.open",
  );
});

Deno.test("a helper that does not finish its undo in time is named with what is still there", async () => {
  using folder = new TemporaryFolder();
  const world = new FakeWorld();
  const { client, code } = await startPair(world, folder.path, { undoMs: 50 });
  const begun = Promise.withResolvers<void>();
  world.onSlow = begun.resolve;
  client.open("thing.open", { name: "slow" }).catch(() => {});
  await begun.promise;
  await assert.rejects(
    client[Symbol.asyncDispose](),
    hasCode(CleanupError, "HELPER_SLOW"),
  );
  world.goOn();
  assert.equal(await code, 0);
});

Deno.test("two helpers leave each other's changes alone", async () => {
  using folder = new TemporaryFolder();
  const world = new FakeWorld();
  const first = await startPair(world, folder.path);
  await first.client.open("thing.open", { name: "a" });
  const second = await startPair(world, folder.path);
  assert.deepEqual(second.client.swept, []);
  await second.client.open("thing.open", { name: "b" });
  await first.client[Symbol.asyncDispose]();
  assert.deepEqual(world.things, ["b"]);
  await second.client[Symbol.asyncDispose]();
  assert.deepEqual(world.things, []);
});
