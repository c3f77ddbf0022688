import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { keepAccepting } from "../../../../src/link/wire/keep_accepting.ts";
import { exchange, limitedDeno, portOf } from "../agent/agent_process.ts";

const SERVER = fileURLToPath(new URL("accepting_server.ts", import.meta.url));

/** Whether a server that may have 128 files open answers after 200 connections have come and gone. */
async function answersAfterwards(mode: "plain" | "kept"): Promise<boolean> {
  const child = spawn(...limitedDeno(["run", "-A", SERVER, mode], 128), {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const [line] = await once(child.stdout!, "data");
    const port = Number(line);
    const sockets = Array.from(
      { length: 200 },
      () => connect(port, "127.0.0.1").on("error", () => {}),
    );
    await new Promise((resolve) => setTimeout(resolve, 1000));
    for (const socket of sockets) socket.destroy();
    const late = new Promise<undefined>((resolve) => {
      setTimeout(() => resolve(undefined), 3000);
    });
    return await Promise.race([exchange(port, "abc"), late]) === "served";
  } finally {
    child.kill("SIGKILL");
    if (child.exitCode === null) await once(child, "exit");
  }
}

const onlyWithLimits = { ignore: Deno.build.os === "windows" };

Deno.test("Deno's server is deaf once it has run out of files", {
  ...onlyWithLimits,
  // the connection that nobody accepts
  sanitizeOps: false,
  sanitizeResources: false,
}, async () => {
  assert.equal(
    await answersAfterwards("plain"),
    false,
    "It is not: keep_accepting.ts can go",
  );
});

Deno.test(
  "a server that has run out of files accepts again when there are some",
  onlyWithLimits,
  async () => {
    assert.equal(await answersAfterwards("kept"), true);
  },
);

Deno.test("a server that is kept accepting serves each connection once, and stops when it is closed", async () => {
  let served = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    served++;
    socket.resume().end("served");
  });
  keepAccepting(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const until = performance.now() + 1000; // five times the interval
  let asked = 0;
  while (performance.now() < until) {
    asked += 10;
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => exchange(portOf(server), "abc")),
    );
    assert.deepEqual(new Set(answers), new Set(["served"]));
  }
  assert.equal(served, asked);
  await server[Symbol.asyncDispose]();
});

Deno.test("a server is kept accepting when another one is closed, by the same timer", async () => {
  const looked: { name: string; atMs: number }[] = [];
  const kept = async (name: string) => {
    const server = createServer();
    keepAccepting(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { _handle: handle } = server as unknown as {
      _handle: { listen(backlog: number): number };
    };
    const listen = handle.listen.bind(handle);
    handle.listen = (backlog) => {
      looked.push({ name, atMs: performance.now() });
      return listen(backlog);
    };
    return server;
  };
  const pause = (ms: number) =>
    new Promise((resolve) => setTimeout(resolve, ms));
  const first = await kept("first");
  await pause(100);
  const second = await kept("second");
  await pause(250);
  const [one, other] = looked.slice(-2);
  assert.deepEqual([one?.name, other?.name], ["first", "second"]);
  assert.ok(other!.atMs - one!.atMs < 50);
  await first[Symbol.asyncDispose]();
  looked.length = 0;
  await pause(300);
  assert.ok(looked.length > 0 && looked.every(({ name }) => name === "second"));
  await second[Symbol.asyncDispose]();
});
