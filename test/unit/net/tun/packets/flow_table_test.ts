import assert from "node:assert/strict";
import fc from "fast-check";
import {
  FLOW,
  type FlowKey,
  FlowTable,
} from "../../../../../src/net/tun/packets/flow_table.ts";

/** IPv4: two addresses and two ports, of which only the given bytes differ. */
function key(n: number, size = 4): FlowKey {
  const bytes = new Uint8Array(2 * size + 4);
  new DataView(bytes.buffer).setUint32(2 * size - 4, n);
  return { bytes, at: 0, size, portsAt: 2 * size };
}

Deno.test("FlowTable finds what it holds, whatever was removed in between", () => {
  const steps = fc.array(fc.tuple(fc.nat(40), fc.boolean()), {
    maxLength: 300,
  });
  fc.assert(
    fc.property(steps, fc.constantFrom(4, 16), (steps, size) => {
      const table = new FlowTable();
      const model = new Map<number, number>();
      for (const [id, isAdded] of steps) {
        const known = model.get(id);
        assert.equal(table.find(key(id, size)), known ?? 0);
        if (isAdded && known === undefined) {
          model.set(id, table.hold(key(id, size)));
        } else if (!isAdded && known !== undefined) {
          table.remove(known);
          model.delete(id);
        }
      }
      assert.equal(table.size, model.size);
      assert.equal(new Set(model.values()).size, model.size);
      for (const [id, n] of model) {
        assert.equal(table.find(key(id, size)), n);
      }
    }),
    { numRuns: 50 },
  );
});

Deno.test("FlowTable tells families apart and gives back what an application sees", () => {
  const table = new FlowTable();
  const n = table.hold(key(7));
  assert.equal(table.find(key(7, 16)), 0);
  const { bytes, at, size } = table.keyOf(n);
  assert.deepEqual(
    [...bytes.subarray(at, at + 2 * size)],
    [...key(7).bytes.subarray(0, 8)],
  );
});

Deno.test("FlowTable uses a number again as late as can be", () => {
  const table = new FlowTable();
  const first = table.hold(key(1));
  table.remove(first);
  for (let i = 0; i < 64_511; i++) {
    const n = table.hold(key(2));
    assert.notEqual(n, first);
    table.remove(n);
  }
  assert.equal(table.hold(key(2)), first);
});

Deno.test("FlowTable when full gives the number that is closed for longest, or none", () => {
  const table = new FlowTable();
  const numbers: number[] = [];
  for (let i = 0; i < 64_512; i++) numbers.push(table.hold(key(i)));
  assert.equal(table.hold(key(70_000)), 0);
  const [a, b] = [numbers[500]!, numbers[100]!];
  for (const n of [a, b]) {
    table.open(n);
    table.close(n, 0);
  }
  assert.equal(table.hold(key(70_000)), a);
  assert.equal(table.find(key(500)), 0);
  assert.equal(table.hold(key(70_001)), b);
  assert.equal(table.hold(key(70_002)), 0);
});

Deno.test("FlowTable keeps a closed connection for as long as packets of it come", () => {
  const table = new FlowTable();
  const n = table.hold(key(1));
  table.close(n, 0); // not open yet
  assert.equal(table.stateOf(n), FLOW.held);
  table.open(n);
  table.expire(1e9);
  assert.equal(table.stateOf(n), FLOW.open); // for hours
  table.close(n, 0);
  table.touch(n, 100_000);
  table.expire(200_000);
  assert.equal(table.stateOf(n), FLOW.closed);
  assert.ok(table.hasClosed);
  table.expire(231_000);
  assert.equal(table.stateOf(n), FLOW.free);
  assert.equal(table.size, 0);
});
