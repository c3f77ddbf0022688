import assert from "node:assert/strict";
import { EchoResponder } from "../../../../../src/net/tun/packets/echo_responder.ts";
import { buildPacket } from "../../../../../src/net/tun/packets/build_packet.ts";
import { IPV4, parse } from "../packets.ts";

const ping = () =>
  parse(buildPacket({
    ...IPV4,
    protocol: 1,
    payload: Uint8Array.of(8, 0, 0, 0, 0, 1, 0, 1),
    checksumAt: 2,
    hasPseudoHeader: false,
  }));

Deno.test("EchoResponder asks the cluster once for many pings", async () => {
  const asked: string[] = [];
  const responder = new EchoResponder({
    isReachable: (host) => Promise.resolve(asked.push(host) > 0),
  });
  const frames = await Promise.all(
    [1, 2, 3].map(() => responder.answer(ping())),
  );
  for (const frame of frames) assert.equal(parse(frame!).payload[0], 0);
  assert.deepEqual(asked, ["10.96.0.1"]);
});

Deno.test("EchoResponder says unreachable where the cluster does, or cannot be asked", async () => {
  for (
    const isReachable of [
      () => Promise.resolve(false),
      () => Promise.reject(new TypeError("down")),
    ]
  ) {
    const frame = await new EchoResponder({ isReachable }).answer(ping());
    const { payload } = parse(frame!);
    assert.deepEqual([payload[0], payload[1]], [3, 1]);
  }
});
