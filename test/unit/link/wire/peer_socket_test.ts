import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { canonicalAddress } from "../../../../src/core/canonical_address.ts";
import { PeerSocket } from "../../../../src/link/wire/peer_socket.ts";
import { udpPeer } from "../agent/udp_peer.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** A socket of this machine that is nobody's peer. */
async function stranger(host: string, port = 0): Promise<Socket> {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  socket.bind(port, host);
  await once(socket, "listening");
  return socket;
}

/** The first message that a peer's socket lets through. */
function firstMessage(socket: PeerSocket): Promise<string> {
  return new Promise((resolve) =>
    socket.onMessage = (data) => resolve(new TextDecoder().decode(data))
  );
}

for (
  const [title, address, host] of [
    ["IPv4", "127.0.0.1", "127.0.0.1"],
    ["IPv6", "0:0::1", "::1"],
    ["IPv4 in IPv6", "::ffff:127.0.0.1", "127.0.0.1"],
    // as a resolv.conf may say it: this machine
    ["no IPv4 address", "0.0.0.0", "127.0.0.1"],
    ["no IPv6 address", "::", "::1"],
  ] as const
) {
  Deno.test(`datagrams of others than the peer are dropped (${title})`, async () => {
    let forge: (from: { port: number; address: string }) => Promise<void> =
      () => Promise.resolve();
    await using peer = await udpPeer(
      (data, reply, from) => void forge(from).then(() => reply(data)),
      { host },
    );
    // another port of the peer's address; and the peer's port at another address
    const others = [await stranger(host)];
    if (host !== "::1") others.push(await stranger("127.0.0.2", peer.port));
    forge = async ({ port, address }) => {
      for (const one of others) {
        await new Promise((resolve) =>
          one.send(bytes("forged"), port, address, resolve)
        );
      }
    };
    using socket = await PeerSocket.open({ address, port: peer.port });
    const first = firstMessage(socket);
    socket.send(bytes("true"));
    assert.equal(await first, "true");
    for (const one of others) one.close();
  });
}

// Fails when denoland/deno#36492 is done: then the kernel does what `PeerSocket` does for strangers.
Deno.test("Deno lets strangers send to a connected UDP socket", async () => {
  await using peer = await udpPeer();
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  socket.connect(peer.port, "127.0.0.1");
  await once(socket, "connect");
  const came = once(socket, "message");
  const other = await stranger("127.0.0.1");
  other.send(bytes("forged"), socket.address().port, "127.0.0.1");
  const [data] = await came;
  assert.equal(new TextDecoder().decode(data), "forged");
  other.close();
  socket.close();
});

Deno.test("a socket is bound to the address that leads to its peer", async () => {
  const peers = [
    ["127.0.0.53", "127.0.0.1"],
    ["::1", "::1"],
    ["::ffff:127.0.0.53", "127.0.0.1"],
  ] as const;
  for (const [address, local] of peers) {
    using socket = await PeerSocket.open({ address, port: 53 });
    assert.equal(socket.localAddress.address, local);
  }
  using socket = await PeerSocket.open({
    address: "192.0.2.1",
    port: 53,
    localAddressTo: (address) => {
      assert.equal(address, "192.0.2.1");
      return "127.0.0.7";
    },
  });
  assert.equal(socket.localAddress.address, "127.0.0.7");
});

Deno.test("of its own ports those that are taken are passed over", async () => {
  // an address whose ports nobody else uses
  const local = "127.0.0.99";
  const open = (from: number, to: number) =>
    PeerSocket.open({
      address: "192.0.2.1",
      port: 53,
      localPorts: { from, to },
      localAddressTo: () => local,
    });
  using opened = new DisposableStack();
  for (let from = 20_000; from < 20_016; from += 2) {
    const taken = await stranger(local, from);
    opened.defer(() => taken.close());
    const socket = opened.use(await open(from, from + 1));
    assert.equal(socket.localAddress.port, from + 1);
    await assert.rejects(open(from, from + 1), { code: "EADDRINUSE" });
  }
});

Deno.test("a name is no peer", async () => {
  await assert.rejects(PeerSocket.open({ address: "localhost", port: 53 }), {
    code: "EINVAL",
  });
});

Deno.test("a peer on one link alone is spoken to from that link's address", async (t) => {
  const onLink =
    Object.entries(networkInterfaces()).flatMap(([zone, all]) =>
      all?.filter(({ address }) => address.startsWith("fe80:"))
        .map(({ address }) => ({ zone, address })) ?? []
    )[0];
  await t.step({
    name: "here",
    ignore: onLink === undefined,
    async fn() {
      const host = `${onLink!.address}%${onLink!.zone}`;
      await using peer = await udpPeer(undefined, { host });
      using socket = await PeerSocket.open({
        address: host,
        port: peer.port,
        localAddressTo: () => host,
      });
      const first = firstMessage(socket);
      socket.send(bytes("true"));
      assert.equal(await first, "true");
    },
  });
});

Deno.test("an address has one spelling", () => {
  const spellings = {
    "10.0.0.1": "10.0.0.1",
    "::ffff:10.0.0.1": "10.0.0.1",
    "::FFFF:0a00:0001": "10.0.0.1",
    "::ffff:0:0": "0.0.0.0",
    "FD00:0:0::1": "fd00::1",
    "fe80::1%eth0": "fe80::1",
    "::1": "::1",
    "localhost": "localhost",
  };
  for (const [address, spelled] of Object.entries(spellings)) {
    assert.equal(canonicalAddress(address), spelled);
  }
});
