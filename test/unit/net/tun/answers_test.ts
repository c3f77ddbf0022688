import assert from "node:assert/strict";
import fc from "fast-check";
import {
  echoReply,
  isEchoRequest,
} from "../../../../src/net/tun/packets/echo_reply.ts";
import { icmpError } from "../../../../src/net/tun/packets/icmp_error.ts";
import { parseIpPacket } from "../../../../src/net/tun/packets/ip_packet.ts";
import { tcpReset } from "../../../../src/net/tun/packets/tcp_reset.ts";
import {
  answerDatagram,
  parseDatagram,
} from "../../../../src/net/tun/packets/udp_packet.ts";
import { buildPacket } from "../../../../src/net/tun/packets/build_packet.ts";
import { Reassembler } from "../../../../src/net/tun/packets/reassembler.ts";
import {
  type Ends,
  ends,
  hasRightChecksums,
  IPV4,
  IPV6,
  parse,
  tcp,
  udp,
} from "./packets.ts";

const data = fc.uint8Array({ maxLength: 2000 });

Deno.test("answerDatagram() goes back where a datagram came from, with right checksums", () => {
  fc.assert(fc.property(ends, data, data, (ends, question, answer) => {
    const packet = parse(udp(ends, question));
    const { data, ...ports } = parseDatagram(packet)!;
    assert.deepEqual(data, question);
    const frame = answerDatagram(packet, ports, answer)!;
    assert.ok(hasRightChecksums(frame));
    const back = parse(frame);
    assert.deepEqual(back.destination, packet.source);
    assert.deepEqual(parseDatagram(back), {
      sourcePort: ports.destinationPort,
      destinationPort: ports.sourcePort,
      data: answer,
    });
  }));
});

Deno.test("answerDatagram() never leaves out the checksum, and leaves what is too large", () => {
  for (let i = 0; i < 0x10000; i += 0x101) {
    const frame = answerDatagram(parse(udp(IPV4, new Uint8Array())), {
      sourcePort: i,
      destinationPort: 0xffff - i,
    }, Uint8Array.of(i >> 8, i))!;
    assert.notDeepEqual([...parse(frame).payload.subarray(6, 8)], [0, 0]);
  }
  const ports = { sourcePort: 1, destinationPort: 2 };
  const packet = parse(udp(IPV4, new Uint8Array()));
  assert.ok(answerDatagram(packet, ports, new Uint8Array(65_507)));
  assert.equal(
    answerDatagram(packet, ports, new Uint8Array(65_508)),
    undefined,
  );
});

Deno.test("tcpReset() acknowledges a SYN, answers an ACK with its number, and resets no reset", () => {
  fc.assert(fc.property(ends, data, (ends, data) => {
    const ports = { sourcePort: 4000, destinationPort: 80 };
    const syn = tcpReset(parse(tcp(ends, { ...ports, flags: 2, data })))!;
    assert.ok(hasRightChecksums(syn));
    const { payload } = parse(syn);
    const view = new DataView(payload.buffer, payload.byteOffset);
    assert.equal(payload[13], 0x14);
    assert.equal(view.getUint32(8), 0x01020305 + data.length);
    assert.deepEqual([view.getUint16(0), view.getUint16(2)], [80, 4000]);
    const ack = parse(tcpReset(parse(tcp(ends, { ...ports, data })))!).payload;
    assert.equal(ack[13], 4);
    assert.deepEqual([...ack.subarray(4, 8)], [0xa0, 0xb0, 0xc0, 0xd0]);
    const reset = parse(tcp(ends, { ...ports, flags: 0x14 }));
    assert.equal(tcpReset(reset), undefined);
  }));
});

const KINDS = ["host", "port", "protocol"] as const;

Deno.test("icmpError() quotes what it is about and is right by its checksums", () => {
  for (const ends of [IPV4, IPV6]) {
    for (const kind of KINDS) {
      for (const size of [0, 3, 700, 3000]) {
        const packet = parse(udp(ends, new Uint8Array(size).fill(7)));
        const frame = icmpError(packet, kind)!;
        assert.ok(hasRightChecksums(frame));
        const { payload, bytes, destination } = parse(frame);
        assert.deepEqual(destination, packet.source);
        assert.ok(bytes.length <= (ends.family === 4 ? 576 : 1280));
        const quoted = payload.subarray(8);
        assert.deepEqual(quoted, packet.bytes.subarray(0, quoted.length));
      }
    }
  }
});

Deno.test("icmpError() does not answer errors, multicast or later fragments", () => {
  const host = icmpError(parse(udp(IPV4, new Uint8Array(9))), "host")!;
  assert.equal(icmpError(parse(host), "host"), undefined);
  const to = (ends: Ends, ...first: number[]) => {
    const destination = ends.destination.slice();
    destination.set(first);
    return parse(udp({ ...ends, destination }, new Uint8Array(9)));
  };
  assert.equal(icmpError(to(IPV4, 224), "host"), undefined);
  assert.equal(icmpError(to(IPV6, 0xff, 2), "host"), undefined);
  assert.equal(icmpError(to(IPV6, 0xfe, 0x80), "host"), undefined);
  const fragment = { id: 1, offset: 8, hasMore: false };
  const packet = { ...parse(udp(IPV4, new Uint8Array(9))), fragment };
  assert.equal(icmpError(packet, "host"), undefined);
});

Deno.test("echoReply() gives back what was sent", () => {
  fc.assert(fc.property(ends, data, (ends, data) => {
    const frame = buildPacket({
      ...ends,
      protocol: ends.family === 4 ? 1 : 58,
      payload: Uint8Array.of(
        ends.family === 4 ? 8 : 128,
        0,
        0,
        0,
        ...data,
        1,
        2,
        3,
        4,
      ),
      checksumAt: 2,
      hasPseudoHeader: ends.family === 6,
    });
    const request = parse(frame);
    assert.ok(isEchoRequest(request));
    const reply = echoReply(request);
    assert.ok(hasRightChecksums(reply));
    assert.ok(!isEchoRequest(parse(reply)));
    assert.deepEqual(
      parse(reply).payload.subarray(4),
      request.payload.subarray(4),
    );
  }));
});

/** As a router cuts it: each piece with its own IP header. */
function cut(ends: Ends, payload: Uint8Array, size: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < payload.length; at += size) {
    const part = payload.subarray(at, at + size);
    const more = at + size < payload.length ? 1 : 0;
    if (ends.family === 4) {
      const frame = buildPacket({
        ...ends,
        protocol: 17,
        payload: part,
        checksumAt: 0,
      });
      const ip = frame.subarray(10);
      ip.set(part, 20);
      const flags = (more << 13) | (at / 8);
      ip.set([0, 99, flags >> 8, flags & 0xff], 4);
      pieces.push(ip);
    } else {
      const extension = [17, 0, at >> 8, (at & 0xf8) | more, 0, 0, 0, 99];
      const whole = Uint8Array.of(...extension, ...part);
      const frame = buildPacket({
        ...ends,
        protocol: 44,
        payload: whole,
        checksumAt: 0,
      });
      const ip = frame.subarray(10);
      ip.set(whole, 40);
      pieces.push(ip);
    }
  }
  return pieces;
}

Deno.test("Reassembler puts pieces together in any order, twice the same piece too", () => {
  const size = fc.constantFrom(8, 64, 512);
  const seed = fc.infiniteStream(fc.nat());
  fc.assert(fc.property(ends, data, size, seed, (ends, data, size, seed) => {
    const whole = parse(udp(ends, Uint8Array.of(...data, 1, 2, 3, 4, 5, 6)));
    const pieces = cut(ends, whole.payload, size)
      .map((piece) => ({ piece, at: seed.next().value }))
      .sort((a, b) => a.at - b.at)
      .map(({ piece }) => parseIpPacket(piece)!);
    const reassembler = new Reassembler();
    const last = pieces.pop()!;
    for (const piece of [...pieces, ...pieces.slice(0, 1)]) {
      assert.equal(reassembler.add(piece), undefined);
    }
    const { payload, fragment } = reassembler.add(last)!;
    assert.deepEqual(payload, whole.payload);
    assert.equal(fragment, undefined);
  }));
});

Deno.test("Reassembler gives up pieces that are late", () => {
  const whole = parse(udp(IPV4, new Uint8Array(100)));
  const [first, last] = cut(IPV4, whole.payload, 64).map((piece) =>
    parseIpPacket(piece)!
  );
  const reassembler = new Reassembler();
  assert.equal(reassembler.add(first!, 0), undefined);
  assert.equal(reassembler.add(last!, 20_000), undefined);
});

const hostile = fc.uint8Array({ maxLength: 200 }).map((bytes) => {
  if (bytes.length > 0) {
    bytes[0] = (bytes[0]! & 0x0f) | (bytes[0]! & 0x80 ? 0x60 : 0x40);
  }
  return bytes;
});

Deno.test("nothing that comes as a packet throws", () => {
  const reassembler = new Reassembler();
  fc.assert(
    fc.property(hostile, fc.boolean(), (bytes, fits) => {
      if (fits && bytes.length >= 44) {
        // lengths that are right lead further
        if (bytes[0]! >> 4 === 4) bytes.set([0, bytes.length], 2);
        else bytes.set([0, bytes.length - 40], 4);
      }
      const parsed = parseIpPacket(bytes);
      const packet = parsed && reassembler.add(parsed);
      if (packet === undefined) return;
      parseDatagram(packet);
      tcpReset(packet);
      for (const kind of KINDS) icmpError(packet, kind);
      if (isEchoRequest(packet)) echoReply(packet);
    }),
    { numRuns: 3000 },
  );
});
