import assert from "node:assert/strict";
import fc from "fast-check";
import {
  FLOW,
  FlowTable,
} from "../../../../../src/net/tun/packets/flow_table.ts";
import {
  PacketRewriter,
  VERDICT,
} from "../../../../../src/net/tun/packets/packet_rewriter.ts";
import { pseudoHeaderSum } from "../../../../../src/net/tun/packets/build_packet.ts";
import { foldSum } from "../../../../../src/net/tun/packets/checksum.ts";
import { ends, hasRightChecksums, IPV4, IPV6, parse, tcp } from "../packets.ts";

const PORT = 40_000;
const OWN = {
  4: {
    local: IPV4.source,
    peer: Uint8Array.of(198, 19, 0, 2),
    port: PORT,
  },
  6: {
    local: IPV6.source,
    peer: Uint8Array.of(0xfd, 1, ...new Array(13).fill(0), 2),
    port: PORT,
  },
};

function setUp() {
  const table = new FlowTable();
  return { table, rewriter: new PacketRewriter(table, OWN) };
}

const ports = (frame: Uint8Array) => {
  const { payload } = parse(frame);
  return [payload[0]! * 256 + payload[1]!, payload[2]! * 256 + payload[3]!];
};

const anyPort = fc.integer({ min: 0, max: 65_535 });
const data = fc.uint8Array({ maxLength: 100 });
const segments = fc.tuple(ends, anyPort, anyPort, data);

Deno.test("PacketRewriter leads a connection to the listener and its answers back, checksums right", () => {
  fc.assert(fc.property(segments, ([ends, from, to, data]) => {
    const { table, rewriter } = setUp();
    const own = OWN[ends.family];
    const ask = { sourcePort: from, destinationPort: to };
    const syn = tcp(ends, { ...ask, flags: 2 });
    const sent = syn.slice();
    assert.equal(rewriter.handle(syn, syn.length, 0), VERDICT.ask);
    const n = rewriter.flow;
    assert.deepEqual(syn, sent);
    assert.equal(rewriter.handle(syn, syn.length, 0), VERDICT.drop); // once more
    table.open(n);
    const frame = tcp(ends, { ...ask, data });
    assert.equal(rewriter.handle(frame, frame.length, 0), VERDICT.write);
    const there = parse(frame);
    assert.deepEqual(there.source, own.peer);
    assert.deepEqual(there.destination, own.local);
    assert.deepEqual(ports(frame), [n, PORT]);
    assert.ok(hasRightChecksums(frame));
    assert.deepEqual(there.payload.subarray(20), data);
    const answer = tcp(
      { family: ends.family, source: own.local, destination: own.peer },
      { sourcePort: PORT, destinationPort: n, data },
    );
    assert.equal(rewriter.handle(answer, answer.length, 0), VERDICT.write);
    const back = parse(answer);
    assert.deepEqual(back.source, ends.destination);
    assert.deepEqual(back.destination, ends.source);
    assert.deepEqual(ports(answer), [to, from]);
    assert.ok(hasRightChecksums(answer));
    rewriter.rewrite(syn, n);
    assert.ok(hasRightChecksums(syn));
    assert.deepEqual(ports(syn), [n, PORT]);
    table.remove(n);
    assert.equal(table.size, 0);
  }));
});

Deno.test("PacketRewriter keeps a partial checksum one of the pseudo header", () => {
  fc.assert(fc.property(segments, ([ends, from, to, data]) => {
    const { rewriter } = setUp();
    const frame = tcp(ends, {
      sourcePort: from,
      destinationPort: to,
      data,
      flags: 2,
    });
    const partial = () => {
      const packet = parse(frame);
      return { packet, sum: foldSum(pseudoHeaderSum(packet)) };
    };
    frame[0] = 1;
    const { packet, sum } = partial();
    packet.payload.set([sum >> 8, sum & 0xff], 16);
    assert.equal(rewriter.handle(frame, frame.length, 0), VERDICT.ask);
    rewriter.rewrite(frame, rewriter.flow);
    const after = partial();
    const { payload } = after.packet;
    const value = payload[16]! * 256 + payload[17]!;
    assert.equal(value % 0xffff, after.sum % 0xffff);
  }));
});

Deno.test("PacketRewriter leaves what belongs to no connection to others", () => {
  const { table, rewriter } = setUp();
  const ask = { sourcePort: 1, destinationPort: 2 };
  for (
    const frame of [
      tcp(IPV4, ask), // no SYN
      tcp(IPV4, { ...ask, flags: 0x12 }),
      // from the listener, to a port that stands for nothing
      tcp({ ...IPV4, destination: OWN[4].peer }, {
        sourcePort: PORT,
        destinationPort: 5000,
      }),
    ]
  ) {
    assert.equal(rewriter.handle(frame, frame.length, 0), VERDICT.other);
  }
  assert.equal(table.size, 0);
});

Deno.test("PacketRewriter asks anew when a closed connection's ports come again", () => {
  const { table, rewriter } = setUp();
  const syn = () => tcp(IPV4, { sourcePort: 1, destinationPort: 2, flags: 2 });
  const handle = (frame = syn()) => rewriter.handle(frame, frame.length, 0);
  assert.equal(handle(), VERDICT.ask);
  const first = rewriter.flow;
  table.open(first);
  assert.equal(handle(), VERDICT.write);
  table.close(first, 0);
  const ack = tcp(IPV4, { sourcePort: 1, destinationPort: 2 });
  assert.equal(handle(ack), VERDICT.write); // the last words of the old one
  assert.equal(handle(), VERDICT.ask);
  assert.notEqual(rewriter.flow, first);
  assert.equal(table.stateOf(first), FLOW.free);
});

Deno.test("PacketRewriter never throws, nor touches what is behind the packet", () => {
  const { rewriter } = setUp();
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 11, maxLength: 120 }),
      fc.constantFrom(0x45, 0x4f, 0x41, 0x60, 0x00),
      fc.boolean(),
      (frame, first, isTcp) => {
        frame[10] = first;
        if (isTcp) frame[first === 0x60 ? 16 : 19] = 6;
        const buffer = new Uint8Array(400).fill(0xaa);
        buffer.set(frame);
        rewriter.handle(buffer, frame.length, 0);
        assert.ok(buffer.subarray(frame.length).every((byte) => byte === 0xaa));
      },
    ),
    { numRuns: 3000 },
  );
});
