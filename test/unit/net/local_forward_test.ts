import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { Duplex } from "node:stream";
import { dial } from "../../../src/link/wire/dial.ts";
import { LinkError } from "../../../src/core/errors.ts";
import { LocalForward } from "../../../src/net/local_forward.ts";
import {
  answering,
  exchange,
  listen,
  portOf,
} from "../link/agent/agent_process.ts";

function forwardTo(
  open: (signal: AbortSignal) => Promise<Duplex>,
  options: { port?: number; cutAfterMs?: number } = {},
) {
  const failures: unknown[] = [];
  const failed = Promise.withResolvers<void>();
  const starting = LocalForward.start({
    port: 0,
    hint: "Choose another",
    open,
    onFailed: (error) => {
      failures.push(error);
      failed.resolve();
    },
    ...options,
  });
  return { starting, failures, failed: failed.promise };
}

const dialTo = (port: number) => () =>
  dial({ host: "127.0.0.1", port, timeoutMs: 5000 });

Deno.test("a local port leads to where it is opened to, half-closes too", async () => {
  await using server = await answering("there");
  await using forward = await forwardTo(dialTo(portOf(server))).starting;
  assert.equal(await exchange(forward.port, "abc"), "there 3");
});

Deno.test("it is there by either address that localhost may mean; a port that another program has of one of them is taken", async () => {
  await using server = await answering("there");
  await using forward = await forwardTo(dialTo(portOf(server))).starting;
  const socket = await dial({
    host: "::1",
    port: forward.port,
    timeoutMs: 5000,
  });
  socket.end("abc");
  assert.equal(String((await once(socket, "data"))[0]), "there 3");
  const other = createServer().listen(0, "::1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const { starting } = forwardTo(dialTo(portOf(server)), { port });
  await assert.rejects(starting, {
    code: "PORT_TAKEN",
    message: /\[::1\]:\d+: another program has the port/,
  });
  other.close();
});

Deno.test("a connection that cannot be opened is reset, and told", async () => {
  const { starting, failures, failed } = forwardTo(() =>
    Promise.reject(new LinkError("DIAL_REFUSED", "Refused"))
  );
  await using forward = await starting;
  await assert.rejects(exchange(forward.port, "abc"), { code: "ECONNRESET" });
  await failed;
  assert.equal((failures[0] as LinkError).code, "DIAL_REFUSED");
});

Deno.test("a client that goes ends the opening", async () => {
  const asked = Promise.withResolvers<AbortSignal>();
  const { starting, failures } = forwardTo((signal) => {
    asked.resolve(signal);
    return new Promise((_, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason))
    );
  });
  await using forward = await starting;
  const socket = connect({ port: forward.port, host: "127.0.0.1" });
  const signal = await asked.promise;
  socket.resetAndDestroy();
  if (!signal.aborted) await once(signal, "abort");
  assert.deepEqual(failures, []);
});

Deno.test("where nothing tells the other side of the client's end, it is cut after a silence", async () => {
  // as a port-forward is: it never ends by itself
  const stream = new Duplex({
    read() {},
    write: (_chunk, _encoding, done) => done(),
  });
  let talks = 0;
  const talk = setInterval(() => {
    stream.push("x");
    if (++talks === 8) clearInterval(talk);
  }, 100);
  const closed = once(stream, "close");
  const { starting } = forwardTo(() => Promise.resolve(stream), {
    cutAfterMs: 400,
  });
  await using forward = await starting;
  const socket = connect({
    port: forward.port,
    host: "127.0.0.1",
    allowHalfOpen: true,
  });
  socket.on("error", () => {});
  let came = "";
  socket.on("data", (chunk) => came += chunk);
  socket.end();
  await closed;
  assert.equal(came, "xxxxxxxx");
});

Deno.test("a taken port is named", async () => {
  await using taken = await listen(() => {});
  const port = portOf(taken);
  const { starting } = forwardTo(() => Promise.reject(), { port });
  await assert.rejects(starting, {
    code: "PORT_TAKEN",
    message: new RegExp(String(port)),
    hint: "Choose another",
  });
});
