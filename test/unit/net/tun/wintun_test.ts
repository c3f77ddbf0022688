// What of Windows' wintun can be proven on any system: its packets, by the real packet loop over a stand-in
// for the two libraries, which keeps packets as the ring does: at addresses, until they are given back.
import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { CommandRing } from "../../../../src/net/tun/packets/command_ring.ts";
import { EventCommands } from "../../../../src/net/tun/windows/event_commands.ts";
import {
  findWintun,
  wintunPaths,
} from "../../../../src/net/tun/windows/find_wintun.ts";
import {
  COMMAND,
  type PacketLoopMessage,
  runPacketLoop,
} from "../../../../src/net/tun/packets/packet_loop.ts";
import { VNET_HEADER_BYTES } from "../../../../src/net/tun/packets/vnet_header.ts";
import {
  guidBytes,
  wideText,
} from "../../../../src/net/tun/windows/windows_data.ts";
import {
  openWintunIo,
  type WintunIoCalls,
} from "../../../../src/net/tun/windows/wintun_io.ts";
import { ends, hasRightChecksums, IPV4, IPV6, parse, tcp } from "./packets.ts";

const FLOW = 1024;
const SESSION = 7n;
const COMMAND_EVENT = 11n;
const PACKET_EVENT = 12n;

const OWN = {
  4: { local: IPV4.source, peer: Uint8Array.of(198, 19, 0, 2), port: 40_000 },
  6: {
    local: IPV6.source,
    peer: Uint8Array.of(0xfd, 1, ...new Array(13).fill(0), 2),
    port: 40_000,
  },
};

/** Windows and wintun, as far as the packet loop sees of them. */
class FakeWindows {
  /** Packets on their way to the packet loop. */
  readonly incoming: Uint8Array[] = [];
  /** What the packet loop sent, whole. */
  readonly sent: Uint8Array[] = [];
  /** Called when the packet loop would block. */
  onWait: (timeoutMs: number) => void = () => {};
  lastError = 0;
  isFull = false;
  waitResult = 1;
  readonly waited: bigint[][] = [];
  readonly #memory = new Map<bigint, Uint8Array>();
  #next = 0x10_000n;

  get inUse(): number {
    return this.#memory.size;
  }

  readonly calls: WintunIoCalls & {
    readonly windows: {
      CreateEventW: () => bigint;
      SetEvent: (event: bigint) => number;
      CloseHandle: (event: bigint) => number;
    };
  } = {
    wintun: {
      WintunReceivePacket: (session, size) => {
        assert.equal(session, SESSION);
        const packet = this.incoming.shift();
        if (packet === undefined) {
          this.lastError ||= 259; // ERROR_NO_MORE_ITEMS
          return 0n;
        }
        const { buffer } = size as Uint8Array<ArrayBuffer>;
        new DataView(buffer).setUint32(0, packet.length, true);
        return this.#allocate(packet);
      },
      WintunReleaseReceivePacket: (_session, place) => {
        assert.ok(this.#memory.delete(place as bigint));
      },
      WintunAllocateSendPacket: (_session, size) =>
        this.isFull ? 0n : this.#allocate(new Uint8Array(size)),
      WintunSendPacket: (_session, place) => {
        this.sent.push(this.#memory.get(place as bigint)!);
        this.#memory.delete(place as bigint);
      },
    },
    windows: {
      GetLastError: () => this.lastError,
      WaitForMultipleObjects: (count, handles, all, ms) => {
        assert.deepEqual([count, all], [2, 0]);
        const bytes = handles as Uint8Array<ArrayBuffer>;
        this.waited.push([...new BigUint64Array(bytes.buffer)]);
        this.onWait(ms);
        return this.waitResult;
      },
      copyIn: (room, place, size) => {
        const packet = this.#memory.get(place as bigint)!;
        assert.equal(BigInt(packet.length), size);
        (room as Uint8Array).set(packet);
      },
      copyOut: (place, packet, size) => {
        assert.equal(BigInt((packet as Uint8Array).length), size);
        this.#memory.get(place as bigint)!.set(packet as Uint8Array);
      },
      CreateEventW: () => COMMAND_EVENT,
      SetEvent: () => 1,
      CloseHandle: () => 1,
    },
  };

  #allocate(bytes: Uint8Array): bigint {
    const place = this.#next;
    this.#next += 0x1_0000n;
    this.#memory.set(place, bytes);
    return place;
  }
}

const packetOf = (frame: Uint8Array) => frame.slice(VNET_HEADER_BYTES);

function frameOf(packet: Uint8Array): Uint8Array {
  const frame = new Uint8Array(VNET_HEADER_BYTES + packet.length);
  frame.set(packet, VNET_HEADER_BYTES);
  return frame;
}

function openIo(windows: FakeWindows) {
  const commands = new EventCommands(
    { library: "wintun.dll", session: SESSION, packetEvent: PACKET_EVENT },
    windows.calls.windows,
  );
  // as it comes to another thread
  const io = openWintunIo(structuredClone(commands.io), windows.calls);
  return { io, commands };
}

function runLoop(windows: FakeWindows): PacketLoopMessage[] {
  const { io, commands } = openIo(windows);
  const messages: PacketLoopMessage[] = [];
  const waiting = new Int32Array(new SharedArrayBuffer(4));
  windows.onWait = () => commands.end();
  runPacketLoop({ ends: OWN, waiting }, io, (message) => {
    messages.push(message);
    if (message.kind === "ask") commands.send(COMMAND.open, message.flow);
  });
  return messages;
}

Deno.test("a connection's packets go through the packet loop by wintun's ring both ways, checksums complete", () => {
  const data = fc.uint8Array({ maxLength: 1400 });
  fc.assert(
    fc.property(ends, data, (ends, data) => {
      const windows = new FakeWindows();
      const { io, commands } = openIo(windows);
      const own = OWN[ends.family];
      const ports = { sourcePort: 5, destinationPort: 443 };
      const answer = tcp(
        { family: ends.family, source: own.local, destination: own.peer },
        { sourcePort: own.port, destinationPort: FLOW, data },
      );
      const messages: PacketLoopMessage[] = [];
      windows.incoming.push(packetOf(tcp(ends, { ...ports, flags: 2, data })));
      windows.onWait = () => {
        // the listener answers the first packet; when its answer is back, that was all
        if (windows.sent.length === 1) windows.incoming.push(packetOf(answer));
        if (windows.sent.length === 2) commands.end();
      };
      const waiting = new Int32Array(new SharedArrayBuffer(4));
      runPacketLoop({ ends: OWN, waiting }, io, (message) => {
        messages.push(message);
        if (message.kind === "ask") commands.send(COMMAND.open, message.flow);
      });
      assert.deepEqual(messages.map(({ kind }) => kind), ["ask", "end"]);
      assert.ok(messages[1]!.kind === "end" && !messages[1]!.lost);
      const [there, back] = windows.sent.map((packet) => {
        const frame = frameOf(packet);
        assert.ok(hasRightChecksums(frame));
        const { source, destination, payload } = parse(frame);
        assert.deepEqual(payload.subarray(20), data);
        return { source, destination };
      });
      assert.deepEqual(there, { source: own.peer, destination: own.local });
      assert.deepEqual(back, {
        source: ends.destination,
        destination: ends.source,
      });
      assert.equal(windows.inUse, 0, "what came was given back to the ring");
      // the commands' event is first: of two that are set, Windows tells the first
      assert.deepEqual(windows.waited[0], [COMMAND_EVENT, PACKET_EVENT]);
    }),
    { numRuns: 30 },
  );
});

Deno.test("the packet loop ends as lost when the adapter has gone, and not when its commands have ended", () => {
  const gone = new FakeWindows();
  gone.lastError = 38; // ERROR_HANDLE_EOF
  assert.deepEqual(runLoop(gone), [{ kind: "end", lost: true }]);
  const closed = new FakeWindows();
  closed.waitResult = 0xffff_ffff; // WAIT_FAILED
  assert.deepEqual(runLoop(closed), [{ kind: "end", lost: true }]);
  assert.deepEqual(runLoop(new FakeWindows()), [{ kind: "end", lost: false }]);
});

Deno.test("a packet that wintun's full ring does not take is lost, and nothing else", () => {
  const windows = new FakeWindows();
  windows.isFull = true;
  windows.incoming.push(
    packetOf(tcp(IPV4, { sourcePort: 1, destinationPort: 2, flags: 2 })),
  );
  assert.deepEqual(runLoop(windows).map(({ kind }) => kind), ["ask", "end"]);
  assert.equal(windows.sent.length, 0);
});

Deno.test("the packet loop waits without end only where nothing has to be forgotten", () => {
  const windows = new FakeWindows();
  const { io } = openIo(windows);
  const waits: number[] = [];
  windows.onWait = (ms) => waits.push(ms);
  for (const ms of [-1, 0, 5000]) assert.equal(io.wait(ms), 0);
  assert.deepEqual(waits, [0xffff_ffff, 0, 5000]);
});

Deno.test("CommandRing gives commands in order, whole, and then the end", () => {
  const command = fc.tuple(fc.nat(0xffff), fc.nat(0xffff));
  fc.assert(
    fc.property(
      fc.array(fc.array(command, { maxLength: 20 }), { maxLength: 20 }),
      fc.integer({ min: 1, max: 8 }),
      (rounds, room) => {
        const near = new CommandRing();
        const far = new CommandRing(near.buffer);
        const orders = new Uint16Array(2 * room);
        const taken: number[][] = [];
        const take = () => {
          for (let count; far.isWaiting && (count = far.take(orders)) >= 0;) {
            assert.ok(count > 0);
            for (let at = 0; at < count; at += 2) {
              taken.push([orders[at]!, orders[at + 1]!]);
            }
          }
        };
        for (const round of rounds) {
          for (const [what, flow] of round) near.send(what, flow);
          take();
          assert.ok(!far.isWaiting);
        }
        near.send(1, 2);
        near.end();
        take();
        assert.deepEqual(taken, [...rounds.flat(), [1, 2]]);
        assert.ok(far.isWaiting);
        assert.equal(far.take(orders), -1);
      },
    ),
  );
});

Deno.test("CommandRing goes round, and holds two commands for each connection that there can be", () => {
  const near = new CommandRing();
  const far = new CommandRing(near.buffer);
  const orders = new Uint16Array(2 * 0x20_000);
  for (let round = 0; round < 3; round++) {
    for (let n = 0; n < 0x20_000; n++) near.send(1 + n % 3, n & 0xffff);
    assert.equal(far.take(orders), orders.length);
    assert.deepEqual([...orders.subarray(-2)], [1 + 0x1_ffff % 3, 0xffff]);
    near.send(3, round);
    assert.equal(far.take(orders), 2);
    assert.deepEqual([...orders.subarray(0, 2)], [3, round]);
  }
});

Deno.test("wintun.dll is looked for beside the program and in the system", () => {
  assert.deepEqual(
    wintunPaths({
      programFolders: ["C:\\Program Files\\ktctl", "C:\\deno", ".", "tools"],
      systemRoot: "C:\\Windows",
    }),
    [
      "C:\\Program Files\\ktctl\\wintun.dll",
      "C:\\deno\\wintun.dll",
      "C:\\Windows\\System32\\wintun.dll",
    ],
  );
});

Deno.test({
  name: "a wintun.dll on the PATH or in the current folder is not loaded",
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      // names of Windows are names of files in the current folder here
      for (const name of ["C:\\tools\\wintun.dll", "wintun.dll"]) {
        await Deno.writeTextFile(join(folder, name), "");
      }
      const url = new URL(
        "../../../../src/net/tun/windows/find_wintun.ts",
        import.meta.url,
      );
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: [
          "eval",
          "--quiet",
          `import { findWintun } from ${JSON.stringify(url.href)};
          try { console.log(findWintun()); } catch ({ code }) { console.log(code); }`,
        ],
        cwd: folder,
        env: { PATH: ";C:\\tools;." },
      }).output();
      assert.equal(new TextDecoder().decode(stdout), "WINTUN_MISSING\n");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "without wintun.dll it is said where to put it, and how to go without",
  ignore: Deno.build.os === "windows", // which may have it
  fn() {
    assert.throws(findWintun, {
      name: "UnsupportedError",
      code: "WINTUN_MISSING",
      hint: /wintun\.net.* put it into ".+"/,
    });
  },
});

Deno.test("texts and GUIDs are as Windows takes them", () => {
  assert.deepEqual([...wideText("kt")], [0x6b, 0, 0x74, 0, 0, 0]);
  assert.equal(
    guidBytes("00112233-4455-6677-8899-aabbccddeeff").toHex(),
    "33221100554477668899aabbccddeeff",
  );
});
