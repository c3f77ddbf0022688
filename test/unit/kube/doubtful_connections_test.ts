// What becomes of the connections to the API server after sleep, and when addresses change.
import assert from "node:assert/strict";
import { ownAddresses } from "../../../src/core/machine/own_addresses.ts";
import { disturbances } from "../../../src/core/machine/disturbances.ts";
import { OpenConnections } from "../../../src/kube/http/open_connections.ts";
import { CONFIG_MAPS } from "../../../src/kube/resources.ts";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { SilentProxy } from "../link/agent/silent_proxy.ts";
import { clientOf, FakeApiServer, json } from "./fake_api_server.ts";

Deno.test("an idle connection that may be dead is not used again", async () => {
  await using server = await FakeApiServer.start([json({ x: 1 })]);
  await using proxy = await SilentProxy.to(server.port);
  await using api = clientOf(`http://127.0.0.1:${proxy.port}`);
  await api.raw("/x");
  proxy.silence();
  disturbances.tell();
  assert.deepEqual(await api.raw("/x", { timeoutMs: 2_000 }), { x: 1 });
});

Deno.test("a watch that may be dead goes on by another connection at once", async () => {
  const stop = new AbortController();
  let watches = 0;
  const object = { metadata: { name: "a", uid: "a", resourceVersion: "6" } };
  const event = JSON.stringify({ type: "ADDED", object }) + "\n";
  await using server = await FakeApiServer.start([
    json({ metadata: { resourceVersion: "5" }, items: [] }),
    (_request, response) => {
      response.writeHead(200);
      response.flushHeaders();
      if (++watches === 2) response.write(event);
    },
  ]);
  await using api = clientOf(server.url);
  const interruptions: string[] = [];
  const events = api.watch(CONFIG_MAPS, {
    signal: stop.signal,
    onInterrupted: (reason) => interruptions.push(reason),
  })[Symbol.asyncIterator]();
  assert.equal((await events.next()).value?.type, "SYNCED");
  const next = events.next();
  while (watches < 1) await new Promise((resolve) => setTimeout(resolve, 10));
  const began = performance.now();
  disturbances.tell();
  assert.equal((await next).value?.type, "ADDED");
  assert.ok(performance.now() - began < 1_500);
  assert.match(server.requests[2]!.url, /resourceVersion=5/);
  assert.deepEqual(interruptions, []);
  stop.abort();
  await events.return?.();
});

Deno.test("a connection from an address that is gone ends, and no other", async () => {
  const [address] = ownAddresses();
  if (address === undefined) return; // a machine without a network
  const server = createServer((socket) => void socket.on("error", () => {}));
  server.listen(0, "::");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const connections = new OpenConnections();
  const open = async (host: string) => {
    const socket = connect({ host, port });
    await once(socket, "connect");
    connections.add(socket, socket.localAddress);
    return socket;
  };
  const roaming = await open(address);
  const loopback = await open("127.0.0.1");
  connections.endStranded(new Set([address]));
  assert.equal(roaming.destroyed, false);
  const failed = once(roaming, "error");
  connections.endStranded(new Set(["192.0.2.1"]));
  assert.equal(roaming.destroyed, true);
  assert.equal((await failed)[0].code, "ECONNRESET");
  assert.equal(loopback.destroyed, false);
  loopback.destroy();
  server.close();
});
