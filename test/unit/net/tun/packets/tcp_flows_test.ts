import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { LinkError } from "../../../../../src/core/errors.ts";
import type { ClusterLink } from "../../../../../src/link/wire/cluster_link.ts";
import {
  PROOF_PORT,
  TcpFlows,
} from "../../../../../src/net/tun/packets/tcp_flows.ts";
import { type Ends, IPV4, IPV6, parse, tcp } from "../packets.ts";

function setUp(dial: ClusterLink["dial"]) {
  const written: Uint8Array[] = [];
  const commands: string[] = [];
  const refused: string[] = [];
  const flows = new TcpFlows({
    link: { dial },
    carrier: {
      inject: (frame) => void (frame && written.push(frame)),
      command: (command, flow) => void commands.push(`${command} ${flow}`),
    },
    peers: ["198.19.0.2", "fd01::2"],
    onRefused: ({ host, port }, { code }) =>
      refused.push(`${host} ${port} ${code}`),
  });
  const ask = (flow: number, ends: Ends = IPV4, port = 80) => {
    const segment = { sourcePort: 4000, destinationPort: port, flags: 2 };
    return flows.ask(flow, parse(tcp(ends, segment)));
  };
  return { flows, ask, written, commands, refused };
}

const failing = (code: string) => () =>
  Promise.reject(new LinkError(code, "Cannot connect"));

Deno.test("TcpFlows opens a connection once the cluster has taken it", async () => {
  const dialled = Promise.withResolvers<PassThrough>();
  const hosts: string[] = [];
  const { flows, ask, commands } = setUp((host, port) => {
    hosts.push(`${host} ${port}`);
    return dialled.promise;
  });
  await using _ = flows;
  const asked = ask(1024, IPV6);
  assert.deepEqual([hosts, commands], [["fd96::1 80"], []]);
  dialled.resolve(new PassThrough());
  await asked;
  assert.deepEqual(commands, ["open 1024"]);
});

Deno.test("TcpFlows answers a refusal with a reset, and all else with host unreachable", async () => {
  const cases = [
    ["DIAL_REFUSED", IPV4, [6, 0x14]],
    ["DIAL_REFUSED", IPV6, [6, 0x14]],
    ["DIAL_UNREACHABLE", IPV4, [1, 1]],
    ["DIAL_TIMEOUT", IPV6, [58, 3]],
    ["LINK_DOWN", IPV4, [1, 1]],
  ] as const;
  for (const [code, ends, expected] of cases) {
    const { flows, ask, written, commands, refused } = setUp(failing(code));
    await using _ = flows;
    await ask(1024, ends);
    const { protocol, payload } = parse(written[0]!);
    assert.deepEqual([protocol, payload[protocol === 6 ? 13 : 1]], expected);
    assert.deepEqual(commands, ["remove 1024"]);
    const host = ends === IPV4 ? "10.96.0.1" : "fd96::1";
    assert.deepEqual(refused, [`${host} 80 ${code}`]);
  }
});

Deno.test("TcpFlows never dials the device's other end", async () => {
  const { flows, ask, commands } = setUp(() => assert.fail("it was dialled"));
  await using _ = flows;
  const peer = { ...IPV4, destination: Uint8Array.of(198, 19, 0, 2) };
  await ask(1024, peer);
  await ask(1025, peer, PROOF_PORT);
  assert.deepEqual(commands, ["remove 1024", "open 1025"]);
});

Deno.test("TcpFlows when disposed gives up dials, and closes what nobody accepted", async () => {
  const stream = new PassThrough();
  const { flows, ask, commands, refused } = setUp((host, _port, options) =>
    host === "10.96.0.1"
      ? Promise.resolve(stream)
      : new Promise((_, reject) =>
        options!.signal!.addEventListener("abort", () =>
          reject(options!.signal!.reason))
      )
  );
  await ask(1024);
  const pending = ask(1025, IPV6);
  await flows[Symbol.asyncDispose]();
  await pending;
  assert.ok(stream.destroyed);
  assert.deepEqual(commands, ["open 1024", "close 1024", "remove 1025"]);
  assert.deepEqual(refused, []);
});
