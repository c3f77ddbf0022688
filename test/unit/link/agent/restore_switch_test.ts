import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { loadRestorer } from "../../../../src/link/agent/load_restorer.ts";
import { PortTable } from "../../../../src/link/agent/port_table.ts";
import { RestoreSwitch } from "../../../../src/link/agent/restore_switch.ts";

const AFTER_MS = 60;

const FIRST_MS = 200;

/** A switch, and when it called back, in milliseconds since it was made. */
function madeSwitch() {
  const startedAt = performance.now();
  const overAt: number[] = [];
  const timer = new RestoreSwitch(
    AFTER_MS,
    () => Promise.resolve(void overAt.push(performance.now() - startedAt)),
    { firstMs: FIRST_MS },
  );
  return { timer, overAt };
}

Deno.test("who is just setting up has more time", async () => {
  const { timer, overAt } = madeSwitch();
  timer.look(false);
  while (overAt.length === 0) await sleep(5);
  assert.ok(overAt[0]! >= FIRST_MS - 2, `after ${overAt[0]} ms`);
});

Deno.test("a client that is there stops the time, which begins anew when the last one goes", async () => {
  const { timer, overAt } = madeSwitch();
  timer.look(false);
  await sleep(AFTER_MS / 2);
  timer.look(true);
  await sleep(FIRST_MS + AFTER_MS);
  assert.deepEqual(overAt, []);
  const goneAt = performance.now();
  timer.look(false);
  timer.look(false); // a change of another port
  while (overAt.length === 0) await sleep(5);
  const ms = performance.now() - goneAt;
  assert.ok(ms >= AFTER_MS - 2, `after ${ms} ms`);
  await sleep(AFTER_MS * 2);
  assert.equal(overAt.length, 1);
});

Deno.test("what takes longer than the time is not begun twice", async () => {
  let count = 0;
  const done = Promise.withResolvers<void>();
  const timer = new RestoreSwitch(AFTER_MS, () => {
    count++;
    return done.promise;
  }, { firstMs: 0 });
  timer.look(false);
  while (count === 0) await sleep(5);
  timer.look(true); // just in time
  timer.look(false);
  await sleep(AFTER_MS * 2);
  assert.equal(count, 1);
  done.resolve();
  await sleep(0);
  timer.look(true);
  timer.look(false);
  while (count === 1) await sleep(5);
});

Deno.test("a client that came and went while it was looked what is left has the whole time once more", async () => {
  const begun: boolean[] = [];
  let look = Promise.withResolvers<void>();
  let goneAt = 0;
  const timer = new RestoreSwitch(AFTER_MS, async (isStillOver) => {
    const waitedMs = performance.now() - goneAt;
    await look.promise;
    begun.push(isStillOver());
    if (begun.length === 2) assert.ok(waitedMs >= AFTER_MS - 2, `${waitedMs}`);
  }, { firstMs: 0 });
  timer.look(false);
  await sleep(AFTER_MS * 2); // the API server does not answer
  timer.look(true);
  timer.look(false);
  goneAt = performance.now();
  look.resolve();
  look = Promise.withResolvers();
  look.resolve();
  while (begun.length < 2) await sleep(5);
  assert.deepEqual(begun, [false, true]);
  await sleep(AFTER_MS * 2);
  assert.equal(begun.length, 2);
});

Deno.test("from its beginning no client may attach; one that was there before holds it up", () => {
  const ports = new PortTable({
    ...{ sshPort: 0, statusPort: 0, ready: "always" as const },
    ...{ ports: [{ port: 80 }], clientTimeoutMs: 1, lingerMs: 1 },
  });
  const seen: boolean[] = [];
  ports.onAttached((isAttached) => void seen.push(isAttached));
  const client = {
    isGone: false,
    openChannel: () => Promise.reject(new Error("nobody asks")),
  };
  assert.equal(ports.attach(80, client), true);
  assert.equal(ports.refuseClients(), false);
  ports.detach(80, client);
  assert.deepEqual(seen, [false, true, false]);
  assert.equal(ports.refuseClients(), true);
  assert.equal(ports.attach(80, client), false);
  assert.equal(ports.refuseClients(), true, "however often it is asked");
});

Deno.test("only the program that the pod was made with is run", async () => {
  const file = await Deno.makeTempFile({ suffix: ".js" });
  const code = "export const restore = () => Promise.resolve();";
  await Deno.writeTextFile(file, code);
  const digest = createHash("sha256").update(code).digest("hex");
  assert.equal(typeof (await loadRestorer(digest, file)).restore, "function");
  await Deno.writeTextFile(file, `${code} `);
  await assert.rejects(loadRestorer(digest, file), {
    code: "RESTORER_CHANGED",
  });
  await Deno.remove(file);
});
