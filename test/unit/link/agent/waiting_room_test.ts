import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { WaitingRoom } from "../../../../src/link/agent/waiting_room.ts";

const waiting = (room: WaitingRoom, peer: string) => {
  const connection = new PassThrough();
  room.enter(connection, peer);
  return connection;
};

Deno.test("who has one connection is not turned out by peers that have many, however old it is", () => {
  const room = new WaitingRoom({
    seats: 8,
    seatsOfPeer: 4,
    patienceMs: 60_000,
  });
  const probe = waiting(room, "kubelet");
  const flood = Array.from(
    { length: 40 },
    (_, at) => waiting(room, `neighbour ${at % 4}`),
  );
  assert.equal(probe.destroyed, false);
  assert.equal(flood.filter(({ destroyed }) => !destroyed).length, 7);
  for (const one of [probe, ...flood]) room.leave(one);
});

Deno.test("where each peer has one connection, the oldest of all is turned out", () => {
  const room = new WaitingRoom({
    seats: 2,
    seatsOfPeer: 1,
    patienceMs: 60_000,
  });
  const all = ["a", "b", "c"].map((peer) => waiting(room, peer));
  assert.deepEqual(all.map(({ destroyed }) => destroyed), [true, false, false]);
  for (const one of all) room.leave(one);
});
