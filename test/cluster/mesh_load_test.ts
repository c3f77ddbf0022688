// Developers come and go while everybody else's traffic goes on.
import assert from "node:assert/strict";
import { applyAllProtocols } from "./all_protocols.ts";
import { openTestCluster } from "./cluster.ts";
import { applyPrograms, startDenoPod } from "./deno_pod.ts";
import type { KtctlProcess } from "./ktctl_process.ts";
import { eventually, eventuallyByRuns, Laptop } from "./laptop.ts";

const NAMES = ["alice", "bob", "carol", "dave", "erin"];

/** Numbers from 0 to 1 that follow from the seed. */
function* numbersFrom(seed: number): Generator<number, never> {
  for (let state = seed;;) {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    yield state / 2 ** 31;
  }
}

Deno.test("while five developers join and leave in random order, one by kill -9, no unmarked request fails and no stream is cut", async () => {
  const seed = Number(
    Deno.env.get("KTCTL_TEST_SEED") ?? Math.floor(Math.random() * 1e9),
  );
  const random = numbersFrom(seed);
  const pick = <T>(list: readonly T[]): T =>
    list[Math.floor(random.next().value * list.length)]!;
  console.log(`KTCTL_TEST_SEED=${seed}`);

  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await applyAllProtocols(namespace);
  await applyPrograms(namespace);
  const client = await namespace.client();
  const deno = await startDenoPod(cluster, namespace);
  await using laptops = new AsyncDisposableStack();
  const laptopOf = new Map<string, Laptop>();
  for (const name of NAMES) {
    const laptop = await Laptop.open(cluster, namespace, name);
    laptopOf.set(name, laptops.use(laptop));
  }
  const before = await namespace.snapshot();
  const load = deno.start("under_load.ts", ["http://all", "http://all:50051"]);
  assert.equal(await load.line(), "begun");

  const marked = async (name: string) => {
    const header = ["-H", `version: ${name}`];
    const { stdout } = await client.curl("-m", "3", ...header, "http://all/");
    return stdout.trim();
  };
  const outside = [...NAMES];
  const inside = new Map<string, KtctlProcess>();
  const join = async (name: string) => {
    const laptop = laptopOf.get(name)!;
    const expose = `${laptop.demo.port}:80`;
    const args = ["mesh", "all", "--expose", expose, "--versionMark", name];
    const mesh = laptop.start(args, { user: name });
    await mesh.ready();
    inside.set(name, mesh);
    outside.splice(outside.indexOf(name), 1);
    await eventually(
      `${name}'s mark leads to ${name}`,
      async () => await marked(name) === `demo pod=${name}`,
      5_000,
    );
  };
  const killed = pick(NAMES);
  const leave = async (name: string) => {
    const mesh = inside.get(name)!;
    inside.delete(name);
    const { code, stdout } = await mesh.stop(
      name === killed ? "SIGKILL" : "SIGINT",
    );
    if (name !== killed) assert.equal(code, 0, stdout);
    console.log(`${name} ${name === killed ? "was killed" : "left"}`);
  };

  await join(pick(outside));
  // streams that go through the router, beside those that began without one
  assert.equal(await load.tell("open"), "opened");
  while (outside.length > 0 || inside.size > 0) {
    const living = [...inside.keys()].filter((name) => name !== killed);
    const isKilled = !inside.has(killed) && !outside.includes(killed);
    const leavers = [
      ...(inside.has(killed) ? [killed] : []),
      // somebody alive is the last
      ...(living.length > 1 || (outside.length === 0 && isKilled)
        ? living
        : []),
    ];
    const isJoin = outside.length > 0 &&
      (leavers.length === 0 || random.next().value < 0.6);
    if (isJoin) await join(pick(outside));
    else await leave(pick(leavers));
  }
  const { failures, ...counts } = JSON.parse(await load.stop());
  console.log(JSON.stringify(counts));
  assert.deepEqual(failures, []);
  assert.ok(counts.kept > 1_000 && counts.fresh > 200, "there was little load");
  assert.equal(counts.streams, 4);

  // the router goes with its last connection; what the dead left is for clean
  await eventuallyByRuns("as before", async () => {
    const { code } = await laptopOf.get(NAMES.find((one) => one !== killed)!)!
      .run(["clean", "--thresholdInMinus", "0"]);
    assert.equal(code, 0);
    return await namespace.snapshot() === before;
  }, 60_000);
});
