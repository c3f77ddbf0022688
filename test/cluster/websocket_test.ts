// A WebSocket passes an exchange, and its frames stay as they are.
import assert from "node:assert/strict";
import { openTestCluster, succeeded } from "./cluster.ts";
import { assertNoTrace, Laptop, reaches } from "./laptop.ts";

/** Run by the Deno of an original pod: 100 messages of growing length, each sent back. */
const program = `
  const socket = new WebSocket("ws://web/");
  socket.binaryType = "arraybuffer";
  const sizes = Array.from({ length: 100 }, (_, i) => i * i * 25);
  const greeting = Promise.withResolvers();
  const echoed = Promise.withResolvers();
  let count = 0;
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") return greeting.resolve(data);
    const bytes = new Uint8Array(data);
    if (bytes.length !== sizes[count] || bytes.some((byte) => byte !== count)) {
      echoed.reject(new Error("message " + count + " came back changed"));
    }
    if (++count === sizes.length) echoed.resolve();
  };
  socket.onerror = ({ message }) => greeting.reject(new Error(message));
  console.log((await greeting.promise).trim());
  sizes.forEach((size, i) => socket.send(new Uint8Array(size).fill(i)));
  await echoed.promise;
  const closed = new Promise((resolve) => socket.onclose = resolve);
  socket.close(1000);
  const { code } = await closed;
  console.log(count + " messages, closed with " + code);
`;

Deno.test("a WebSocket reaches the laptop through an exchange, with every message whole", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  const client = await namespace.client();
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  await using exchange = laptop.start([
    "exchange",
    "web",
    "--expose",
    `${laptop.demo.port}:80`,
  ]);
  await exchange.ready();
  await reaches(client);

  const command = ["exec", "deploy/web", "--", "deno", "eval", program];
  const output = succeeded(await namespace.kubectl(command));
  assert.equal(
    output,
    "demo pod=laptop\n100 messages, closed with 1000\n",
  );

  assert.equal((await exchange.stop()).code, 0);
  await assertNoTrace({ namespace, laptop, before });
});
