import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import { PortForwardStream } from "../../../src/kube/port_forward_stream.ts";

/** A port-forward with pings each 20 ms, to a side that answers `most` of them. */
async function pinged(most: number) {
  const server = new WebSocketServer({
    host: "127.0.0.1",
    port: 0,
    autoPong: false,
  });
  await once(server, "listening");
  let pings = 0;
  const { promise, resolve } = Promise.withResolvers<WebSocket>();
  server.on("connection", (socket) => {
    socket.on("ping", () => {
      if (++pings <= most) socket.pong();
    });
    resolve(socket);
  });
  const { port } = server.address() as AddressInfo;
  const socket = new WebSocket(`ws://127.0.0.1:${port}`);
  const stream = new PortForwardStream(socket, {
    subject: { action: "open a port-forward to" },
    port,
    onReady() {},
    pingMs: 20,
  });
  return {
    stream,
    pings: () => pings,
    /** Until so many have come. */
    async reached(count: number) {
      const client = await promise;
      while (pings < count) await once(client, "ping");
    },
    async [Symbol.asyncDispose]() {
      for (const client of server.clients) client.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

Deno.test("an idle port-forward is kept alive by pings, and ends where they are not answered any more", async () => {
  await using alive = await pinged(8);
  const [error] = await once(alive.stream, "error");
  assert.equal(error.code, "PORT_FORWARD_LOST");
  assert.match(error.message, /nothing came for too long/);
  assert.ok(alive.pings() >= 8 + 6, `${alive.pings()} pings`);
});

Deno.test("a side that answers no pings at all is not taken for dead", async () => {
  await using silent = await pinged(0);
  await silent.reached(12);
  assert.ok(!silent.stream.destroyed);
  silent.stream.destroy();
  await once(silent.stream, "close");
});

Deno.test("a side that does not read what was written, and so no pings, is not taken for dead", async () => {
  await using paused = await pinged(8);
  await paused.reached(10);
  paused.stream.write("more than it reads now");
  await paused.reached(10 + 12);
  assert.ok(!paused.stream.destroyed);
  paused.stream.destroy();
  await once(paused.stream, "close");
});
