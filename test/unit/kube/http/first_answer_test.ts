// Who waits for an API server hears of it, once, while it is tried on.
import assert from "node:assert/strict";
import * as net from "node:net";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import {
  type Answer,
  clientOf,
  FakeApiServer,
  json,
} from "../fake_api_server.ts";
import { TempFolder } from "../temp_folder.ts";

const PATIENCE_MS = 100;

/** Answers so late. */
function after(ms: number): Answer {
  return (request, response) =>
    void setTimeout(() => json({})(request, response), ms);
}

/** A proxy that takes connections and never says a word: behind it there is no API server. */
async function silentProxy() {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => void sockets.add(socket));
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () => {
      for (const socket of sockets) socket.destroy();
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      return promise;
    },
  };
}

Deno.test("a server that is slow to answer for the first time is told of once, and waited for", async () => {
  await using server = await FakeApiServer.start([
    after(PATIENCE_MS * 5),
    after(PATIENCE_MS * 5),
    after(PATIENCE_MS * 5),
  ]);
  let told = 0;
  await using api = clientOf(server.url, {
    onSlow: () => told++,
    patienceMs: PATIENCE_MS,
  });
  await Promise.all([api.raw("/a"), api.raw("/b")]);
  assert.equal(told, 1);
  await api.raw("/c");
  assert.equal(told, 1);
});

Deno.test("a server that has answered may be slow later", async () => {
  // the first connection of a busy machine may take longer than PATIENCE_MS
  const patienceMs = 1_000;
  await using server = await FakeApiServer.start([
    json({}),
    after(patienceMs * 1.5),
  ]);
  let told = 0;
  await using api = clientOf(server.url, {
    onSlow: () => told++,
    patienceMs,
  });
  await api.raw("/a");
  await api.raw("/b");
  assert.equal(told, 0);
});

Deno.test("a server to which no connection comes about is told of after 2 s, and tried on", async () => {
  await using folder = await TempFolder.make();
  await using proxy = await silentProxy();
  const kubeconfig = await folder.write("config", {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "it",
    clusters: [{
      name: "it",
      cluster: { server: "https://kube.invalid", "proxy-url": proxy.url },
    }],
    contexts: [{ name: "it", context: { cluster: "it", user: "it" } }],
    users: [{ name: "it", user: {} }],
  });
  const main = new URL("../../cli/ktctl_here.ts", import.meta.url);
  await using ktctl = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "-q", fileURLToPath(main), "/nonexistent"].concat(
      ["recover", "web", "--output", "json", "--kubeconfig", kubeconfig],
    ),
    stdout: "piped",
  }).spawn();
  const startedAt = performance.now();
  const lines = ktctl.stdout.pipeThrough(new TextDecoderStream());
  for await (const text of lines) {
    const { event, code, message } = JSON.parse(text.split("\n")[0]!);
    assert.deepEqual([event, code], ["warning", "CLUSTER_SLOW"]);
    assert.match(message, /"https:\/\/kube\.invalid" does not answer; trying/);
    break;
  }
  assert.ok(performance.now() - startedAt > 1_900);
  ktctl.kill("SIGKILL"); // it would try for its 20 s
});
