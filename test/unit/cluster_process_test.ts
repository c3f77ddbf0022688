// How the test cluster ends its components.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { exec } from "../../src/core/exec.ts";

const FOLDER = fileURLToPath(new URL("../cluster/", import.meta.url));

/** Holds a port, which it writes down, and so much memory that its threads do not end at once. */
const HOLDER = `const listener = Deno.listen({ port: 0 });
  const held = Array.from({ length: 16 }, () => new Uint8Array(16 << 20).fill(1));
  await Deno.writeTextFile(Deno.args[0], String(listener.addr.port));
  for await (const connection of listener) connection.close();
  console.log(held);`;

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
        const portFile = `${state}/port-${round}`;
        // ended whatever happens: nothing of a test outlives it
        const script = `set -eu; PID=${state} LOG=${state}
        . ${FOLDER}/process.sh
        trap "stop holder 0" EXIT
        start holder "$0" run -A ${state}/holder.ts ${portFile}
        until [ -s ${portFile} ]; do pid_of holder >/dev/null; sleep 0.05; done`;
        const { code, stderr } = await exec(
          "bash",
          ["-c", script, Deno.execPath()],
          { timeoutMs: 30_000 },
        );
        assert.equal(code, 0, stderr);
        const port = Number(await Deno.readTextFile(portFile));
        Deno.listen({ port }).close();
      }
    } finally {
      await Deno.remove(state, { recursive: true });
    }
  },
);
