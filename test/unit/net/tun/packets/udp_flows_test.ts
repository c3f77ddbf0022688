import assert from "node:assert/strict";
import { LinkError } from "../../../../../src/core/errors.ts";
import type {
  ClusterLink,
  DatagramChannel,
  DatagramEnd,
} from "../../../../../src/link/wire/cluster_link.ts";
import { parseDatagram } from "../../../../../src/net/tun/packets/udp_packet.ts";
import { UdpFlows } from "../../../../../src/net/tun/packets/udp_flows.ts";
import { IPV4, IPV6, parse, udp } from "../packets.ts";

class FakeChannel implements DatagramChannel {
  readonly sent: string[] = [];
  isClosed = false;
  onMessage: (data: Uint8Array) => void = () => {};
  readonly #end = Promise.withResolvers<DatagramEnd>();
  readonly closed = this.#end.promise;

  send(data: Uint8Array): boolean {
    this.sent.push(new TextDecoder().decode(data));
    return true;
  }
  end(reason: DatagramEnd): void {
    this.#end.resolve(reason);
  }
  close(): void {
    this.isClosed = true;
    this.end("closed");
  }
}

const text = (value: string) => new TextEncoder().encode(value);
const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

function setUp(
  open: Pick<ClusterLink, "openDatagrams">["openDatagrams"] | FakeChannel[],
) {
  const asked: string[] = [];
  const written: Uint8Array[] = [];
  const flows = new UdpFlows({
    link: {
      openDatagrams(host, port, options) {
        asked.push(`${host} ${port}`);
        if (!Array.isArray(open)) return open(host, port, options);
        const channel = new FakeChannel();
        open.push(channel);
        return Promise.resolve(channel);
      },
    },
    inject: (frame) => frame && written.push(frame),
  });
  return { flows, asked, written };
}

const refusedBy = (frame: Uint8Array) => {
  const { protocol, payload } = parse(frame);
  return [protocol, payload[0], payload[1]];
};

Deno.test("UdpFlows sends what waited in order, and answers to whom it was", async () => {
  const channels: FakeChannel[] = [];
  const { flows, asked, written } = setUp(channels);
  using _ = flows;
  for (const word of ["a", "b"]) flows.take(parse(udp(IPV6, text(word))));
  await turn();
  flows.take(parse(udp(IPV6, text("c"))));
  assert.deepEqual(asked, ["fd96::1 5353"]);
  assert.deepEqual(channels[0]!.sent, ["a", "b", "c"]);
  channels[0]!.onMessage(text("answer"));
  const { source, destination } = parse(written[0]!);
  assert.deepEqual([source, destination], [IPV6.destination, IPV6.source]);
  assert.deepEqual(parseDatagram(parse(written[0]!)), {
    sourcePort: 5353,
    destinationPort: 4000,
    data: text("answer"),
  });
});

Deno.test("UdpFlows tells what was refused, by its kind", async () => {
  const channels: FakeChannel[] = [];
  const { flows, written } = setUp(channels);
  using _ = flows;
  flows.take(parse(udp(IPV4, text("a"))));
  await turn();
  channels[0]!.end("refused");
  await turn();
  assert.deepEqual(written.map(refusedBy), [[1, 3, 3]]);
  assert.equal(flows.size, 0);
  for (
    const [code, expected] of [
      ["DIAL_REFUSED", [58, 1, 4]],
      ["DIAL_UNREACHABLE", [58, 1, 3]],
    ] as const
  ) {
    const failing = setUp(() => Promise.reject(new LinkError(code, "No")));
    using _ = failing.flows;
    failing.flows.take(parse(udp(IPV6, text("a"))));
    await turn();
    assert.deepEqual(failing.written.map(refusedBy), [expected]);
    assert.equal(failing.flows.size, 0);
  }
});

Deno.test("UdpFlows drops what is idle, DNS sooner", async () => {
  const channels: FakeChannel[] = [];
  const { flows } = setUp(channels);
  using _ = flows;
  flows.take(parse(udp(IPV4, text("a"), 53)));
  flows.take(parse(udp(IPV4, text("a"), 54)));
  await turn();
  flows.dropIdle(performance.now() + 11_000);
  assert.deepEqual(channels.map(({ isClosed }) => isClosed), [true, false]);
  flows.dropIdle(performance.now() + 61_000);
  assert.equal(flows.size, 0);
});

Deno.test("UdpFlows is bounded: the one idle for longest goes", async () => {
  const channels: FakeChannel[] = [];
  const { flows } = setUp(channels);
  using _ = flows;
  const take = (port: number) => flows.take(parse(udp(IPV4, text("a"), port)));
  for (let i = 0; i < 1024; i++) take(10_000 + i);
  take(10_000);
  await turn();
  take(1);
  await turn();
  assert.equal(flows.size, 1024);
  const closed = channels.flatMap(({ isClosed }, at) => isClosed ? [at] : []);
  assert.deepEqual(closed, [1]);
});

Deno.test("UdpFlows closes all when disposed, also what opens later", async () => {
  const channel = new FakeChannel();
  const late = Promise.withResolvers<DatagramChannel>();
  const { flows, written } = setUp(() => late.promise);
  flows.take(parse(udp(IPV4, text("a"))));
  flows[Symbol.dispose]();
  late.resolve(channel);
  await turn();
  assert.ok(channel.isClosed);
  assert.deepEqual([channel.sent, written], [[], []]);
});
