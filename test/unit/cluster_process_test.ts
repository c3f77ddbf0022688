// How the test cluster ends its components.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { exec } from "../../src/core/exec.ts";

const FOLDER = fileURLToPath(new URL("../cluster/", import.meta.url));

/** Holds a port, and so much memory that its threads do not end at once. */
const HOLDER = `const listener = Deno.listen({ port: Number(Deno.args[0]) });
  const held = Array.from({ length: 16 }, () => new Uint8Array(16 << 20).fill(1));
  await Deno.writeTextFile(Deno.args[1], "listens");
  for await (const connection of listener) connection.close();
  console.log(held);`;

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

Deno.test(
  "a component of the test cluster counts as stopped when its ports are free",
  {
    ignore: Deno.build.os !== "linux",
  },
  async () => {
    const state = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${state}/holder.ts`, HOLDER);
      for (let round = 0; round < 5; round++) {
        const port = freePort();
        const listens = `${state}/listens-${round}`;
        const script = `set -eu; PID=${state} LOG=${state}
        . ${FOLDER}/process.sh
        start holder "$0" run -A ${state}/holder.ts ${port} ${listens}
        until [ -e ${listens} ]; do sleep 0.05; done
        stop holder 0`;
        const { code, stderr } = await exec(
          "bash",
          ["-c", script, Deno.execPath()],
          { timeoutMs: 30_000 },
        );
        assert.equal(code, 0, stderr);
        Deno.listen({ port }).close();
      }
    } finally {
      await Deno.remove(state, { recursive: true });
    }
  },
);
