// What of macOS's utun can be proven on any system: its packets, by the real packet loop over a pair of
// sockets in the place of the device.
import assert from "node:assert/strict";
import fc from "fast-check";
import { dlopenLibc } from "../../../../src/net/dlopen_libc.ts";
import { buildPacket } from "../../../../src/net/tun/packets/build_packet.ts";
import { openLibc, openPipe } from "../../../../src/net/tun/posix/libc.ts";
import {
  COMMAND,
  type PacketLoopMessage,
  runPacketLoop,
} from "../../../../src/net/tun/packets/packet_loop.ts";
import { openPosixIo } from "../../../../src/net/tun/posix/posix_io.ts";
import { UtunDevice } from "../../../../src/net/tun/macos/utun_device.ts";
import {
  UTUN_HEADER_BYTES,
  writeUtunHeader,
} from "../../../../src/net/tun/packets/utun_header.ts";
import { VNET_HEADER_BYTES } from "../../../../src/net/tun/packets/vnet_header.ts";
import { ends, hasRightChecksums, IPV4, IPV6, parse, tcp } from "./packets.ts";

const SKIPPED = VNET_HEADER_BYTES - UTUN_HEADER_BYTES;
const ignore = Deno.build.os !== "linux"; // of macOS SOCK_NONBLOCK is not
/** The first number that a connection gets. */
const FLOW = 1024;

const OWN = {
  4: {
    local: IPV4.source,
    peer: Uint8Array.of(198, 19, 0, 2),
    port: 40_000,
  },
  6: {
    local: IPV6.source,
    peer: Uint8Array.of(0xfd, 1, ...new Array(13).fill(0), 2),
    port: 40_000,
  },
};

/** As utun gives and takes it. */
function onTheLine(frame: Uint8Array): Uint8Array<ArrayBuffer> {
  const marked = frame.slice();
  writeUtunHeader(marked);
  return marked.slice(SKIPPED);
}

/** Back to a frame with room for the vnet header. */
function offTheLine(line: Uint8Array): Uint8Array {
  const frame = new Uint8Array(SKIPPED + line.length);
  frame.set(line, SKIPPED);
  return frame;
}

/** Two ends of a line for datagrams, not blocking, in the place of a device. */
function openLine() {
  const calls = dlopenLibc({
    socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  }, { purpose: "test", unsupported: { code: "TEST", hint: "" } });
  const libc = openLibc();
  const fds = new Int32Array(2);
  const SOCK_DGRAM_NONBLOCK = 2 | 0o4000;
  const code = calls.symbols.socketpair(
    1,
    SOCK_DGRAM_NONBLOCK,
    0,
    new Uint8Array(fds.buffer),
  );
  assert.equal(code, 0);
  const [near = -1, far = -1] = fds;
  const { read, write, close } = libc.symbols;
  return {
    near,
    far,
    libc,
    send: (fd: number, bytes: Uint8Array<ArrayBuffer>) =>
      write(fd, bytes, BigInt(bytes.length)),
    receive(fd: number): Uint8Array {
      const buffer = new Uint8Array(70_000);
      const length = Number(read(fd, buffer, BigInt(buffer.length)));
      return buffer.slice(0, Math.max(length, 0));
    },
    [Symbol.dispose]() {
      close(near);
      close(far);
      libc.close();
      calls.close();
    },
  };
}

Deno.test("utun's header names the family, in network order, right in front of the packet", () => {
  const ipv4 = onTheLine(tcp(IPV4, { sourcePort: 1, destinationPort: 2 }));
  assert.deepEqual([...ipv4.subarray(0, 5)], [0, 0, 0, 2, 0x45]);
  const ipv6 = onTheLine(tcp(IPV6, { sourcePort: 1, destinationPort: 2 }));
  assert.deepEqual([...ipv6.subarray(0, 5)], [0, 0, 0, 30, 0x60]);
});

Deno.test({
  name:
    "a connection's packets go through the packet loop in utun's framing both ways, checksums complete",
  ignore,
  fn() {
    const data = fc.uint8Array({ maxLength: 1400 });
    fc.assert(
      fc.property(ends, data, (ends, data) => {
        using line = openLine();
        const { near, far, libc } = line;
        const [commands, orders] = openPipe(libc)!;
        const own = OWN[ends.family];
        const ports = { sourcePort: 5, destinationPort: 443 };
        const messages: PacketLoopMessage[] = [];
        const answer = tcp(
          { family: ends.family, source: own.local, destination: own.peer },
          { sourcePort: own.port, destinationPort: FLOW, data },
        );
        let written = 0;
        const end = () => libc.symbols.close(orders);
        const symbols = {
          ...libc.symbols,
          write(...[fd, bytes, length]: Parameters<typeof libc.symbols.write>) {
            // the listener answers the first; the second is that answer, on its way back
            if (++written === 1) line.send(far, onTheLine(answer));
            else end();
            return libc.symbols.write(fd, bytes, length);
          },
        };
        line.send(far, onTheLine(tcp(ends, { ...ports, flags: 2, data })));
        const headerBytes = UTUN_HEADER_BYTES;
        const config = {
          kind: "posix",
          fd: near,
          headerBytes,
          commands,
        } as const;
        runPacketLoop(
          { ends: OWN, waiting: new Int32Array(new SharedArrayBuffer(4)) },
          openPosixIo(config, { ...libc, symbols }),
          (message) => {
            messages.push(message);
            if (message.kind === "other") end();
            if (message.kind !== "ask") return;
            const order = new Uint16Array([COMMAND.open, message.flow]);
            line.send(orders, new Uint8Array(order.buffer));
          },
        );
        libc.symbols.close(commands);
        assert.deepEqual(messages.map(({ kind }) => kind), ["ask", "end"]);
        assert.ok(messages[0]!.kind === "ask" && messages[0]!.flow === FLOW);
        const [there, back] = [line.receive(far), line.receive(far)].map(
          (received) => {
            assert.equal(received[3], ends.family === 4 ? 2 : 30);
            const frame = offTheLine(received);
            assert.ok(hasRightChecksums(frame));
            const { source, destination, payload } = parse(frame);
            assert.deepEqual(payload.subarray(20), data);
            return { source, destination };
          },
        );
        assert.deepEqual(there, {
          source: own.peer,
          destination: own.local,
        });
        assert.deepEqual(back, {
          source: ends.destination,
          destination: ends.source,
        });
      }),
      { numRuns: 30 },
    );
  },
});

Deno.test({
  name: "UtunDevice writes what is made here in utun's framing",
  ignore,
  fn() {
    using line = openLine();
    {
      // its descriptor is its own to close: another one is not needed here
      using device = new UtunDevice(line.near);
      assert.equal(device.headerBytes, 4);
      const packet = buildPacket({
        ...IPV6,
        protocol: 17,
        payload: Uint8Array.of(0, 1, 0, 2, 0, 9, 0, 0, 7),
        checksumAt: 6,
      });
      device.write(packet);
      const received = line.receive(line.far);
      assert.deepEqual([...received.subarray(0, 4)], [0, 0, 0, 30]);
      assert.deepEqual(received.subarray(4), packet.subarray(10));
    }
    assert.equal(line.send(line.near, new Uint8Array(1)), -1n);
  },
});
