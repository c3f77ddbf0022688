import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { dial } from "../../../../src/link/wire/dial.ts";

/** What proc(5) calls a timer by which the kernel asks whether the peer is still there. */
const KEEP_ALIVE = "02";

/** `<timer>:<rest of it>` of a connection of this machine's, as the kernel lists it. */
async function timerOf(localPort: number, remotePort: number): Promise<string> {
  const [local, remote] = [localPort, remotePort].map((port) =>
    `:${port.toString(16).toUpperCase().padStart(4, "0")}`
  ) as [string, string];
  const rows = (await readFile("/proc/net/tcp", "utf8")).split("\n")
    .map((row) => row.trim().split(/\s+/));
  const row = rows.find(([, from = "", to = ""]) =>
    from.endsWith(local) && to.endsWith(remote)
  );
  return row?.[5] ?? "";
}

Deno.test({
  name:
    "a connection on which nothing is said asks after a minute whether its peer is still there",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const accepted = once(server, "connection");
    const target = { host: "127.0.0.1", port, timeoutMs: 5_000 };
    const socket = await dial(target);
    const [peer] = await accepted;
    try {
      const [timer, rest = ""] = (await timerOf(socket.localPort!, port))
        .split(":");
      assert.equal(timer, KEEP_ALIVE);
      const ticks = parseInt(rest, 16); // a hundred a second
      assert.ok(ticks > 5_000 && ticks <= 6_000, `${ticks} ticks`);
    } finally {
      socket.destroy();
      peer.destroy();
    }
  },
});
