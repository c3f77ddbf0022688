import assert from "node:assert/strict";
import {
  type Disturbance,
  Disturbances,
} from "../../../../src/core/machine/disturbances.ts";

/** A machine of which the test says what time it is and which addresses it has. */
function machine() {
  const its = { now: 0, addresses: new Set(["10.0.0.2"]) };
  const disturbances = new Disturbances({
    addresses: () => its.addresses,
    now: () => its.now,
  });
  const told: Disturbance[] = [];
  const listening = disturbances.on((one) => told.push(one));
  return { its, disturbances, told, listening };
}

Deno.test("a clock that went on without us tells of a sleep, once", () => {
  const { its, disturbances, told, listening } = machine();
  using _listening = listening;
  its.now += 1_500; // a busy machine's second
  disturbances.look();
  assert.deepEqual(told, []);
  its.now += 600_000;
  disturbances.look();
  its.now += 1_000;
  disturbances.look();
  assert.deepEqual(told, [{ wasAsleep: true }]);
});

Deno.test("addresses that come or go are told, with those that are left", () => {
  const { its, disturbances, told, listening } = machine();
  using _listening = listening;
  its.addresses = new Set(["10.0.0.2", "10.8.0.1"]);
  disturbances.look();
  its.addresses = new Set(["10.8.0.1"]);
  disturbances.look();
  disturbances.look();
  assert.deepEqual(told.map(({ addresses }) => [...addresses!]), [
    ["10.0.0.2", "10.8.0.1"],
    ["10.8.0.1"],
  ]);
});

Deno.test("a machine that cannot tell its addresses, for want of a file, has those of before", () => {
  const its = { addresses: new Set(["10.0.0.2"]), isOutOfFiles: false };
  const disturbances = new Disturbances({
    addresses() {
      if (its.isOutOfFiles) throw new Error("Too many open files");
      return its.addresses;
    },
    now: () => 0,
  });
  const told: Disturbance[] = [];
  using _listening = disturbances.on((one) => told.push(one));
  its.isOutOfFiles = true;
  disturbances.look();
  assert.deepEqual(told, []);
  its.isOutOfFiles = false;
  its.addresses = new Set(["10.0.0.3"]);
  disturbances.look();
  assert.deepEqual(told.map(({ addresses }) => [...addresses!]), [[
    "10.0.0.3",
  ]]);
});

Deno.test("this machine is looked at by itself while somebody listens", async () => {
  const started = Date.now();
  let shiftMs = 0;
  const disturbances = new Disturbances({ now: () => Date.now() + shiftMs });
  const told = Promise.withResolvers<Disturbance>();
  using _listening = disturbances.on(told.resolve);
  shiftMs = 10_000;
  assert.equal((await told.promise).wasAsleep, true);
  assert.ok(Date.now() - started < 3_000);
});
