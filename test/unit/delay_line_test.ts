import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(
  new URL("../../bench/delay_line.ts", import.meta.url),
);
const ONE_WAY_MS = 100;
const MIB = 2 ** 20;

Deno.test("the bench's delay holds up all bytes alike, not one block after the other", async () => {
  using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const echo = (async () => {
    using conn = await server.accept();
    const block = new Uint8Array(MIB);
    for (let count; (count = await conn.read(block)) !== null;) {
      await writeAll(conn, block.subarray(0, count));
    }
    await conn.closeWrite();
  })();
  const { port } = server.addr;
  await using line = await startLine(port);
  const sent = Uint8Array.from({ length: 8 * MIB }, (_, i) => i * i >> 8);
  const began = performance.now();
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: line.port });
  const writing = (async () => {
    await writeAll(conn, sent);
    await conn.closeWrite();
  })();
  const got = new Uint8Array(sent.length);
  let firstMs = 0;
  let at = 0;
  for (const block = new Uint8Array(MIB);;) {
    const count = await conn.read(block);
    firstMs ||= performance.now() - began;
    if (count === null) break;
    got.set(block.subarray(0, count), at);
    at += count;
  }
  const lastMs = performance.now() - began;
  await Promise.all([writing, echo]);
  assert.equal(at, sent.length);
  assert.ok(got.every((byte, i) => byte === sent[i]), "not in order");
  // the handshake's round trip, and the way there and back
  assert.ok(firstMs >= 4 * ONE_WAY_MS - 5, `the first after ${firstMs} ms`);
  // blocks of 256 KiB, each waiting for the one before, would take 3200 ms each way
  assert.ok(lastMs < 3200, `the last after ${lastMs} ms`);
});

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await conn.write(bytes.subarray(at));
  }
}

async function startLine(
  to: number,
): Promise<{ port: number } & AsyncDisposable> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-config", PROGRAM],
      ...["127.0.0.1", `${to}`, `${ONE_WAY_MS}`],
    ],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  return {
    port: Number(new TextDecoder().decode(value)),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
      await reader.cancel();
    },
  };
}
