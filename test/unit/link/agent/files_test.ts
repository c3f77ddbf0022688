// A process that has no file left for another connection.
import assert from "node:assert/strict";
import { connect } from "node:net";
import {
  AgentProcess,
  answering,
  exchange,
  listen,
  portOf,
  read,
} from "./agent_process.ts";
import { ClientProcess } from "./client_process.ts";

/** Deno itself needs some thirty. */
const FILES = 128;
const AT_ONCE = 300;
const onlyWithLimits = { ignore: Deno.build.os === "windows" };

Deno.test(
  "a client that has no file left lets the original answer, and goes on",
  onlyWithLimits,
  async () => {
    await using original = await answering("original");
    await using local = await answeringLate();
    await using agent = await AgentProcess.start({
      fallback: { host: "127.0.0.1", port: portOf(original) },
    });
    await using client = await ClientProcess.attach(agent, portOf(local), {
      openFiles: FILES,
    });
    for (let round = 0; round < 2; round++) {
      const answers = await askAtOnce(agent.port);
      assert.deepEqual(new Set(answers), new Set(["local 3", "original 3"]));
    }
    assert.equal(await exchange(agent.port, "abc"), "local 3");
    assert.ok(client.isAlive);
  },
);

Deno.test(
  "an agent that has no file left keeps connections waiting until there is one",
  onlyWithLimits,
  async () => {
    await using local = await answeringLate();
    await using agent = await AgentProcess.start({ openFiles: FILES });
    await using _client = await ClientProcess.attach(agent, portOf(local));
    for (let round = 0; round < 2; round++) {
      const answers = await askAtOnce(agent.port);
      assert.deepEqual(new Set(answers), new Set(["local 3"]));
    }
    assert.equal(await agent.ready(), 200);
  },
);

Deno.test(
  "an agent that has no file left for the original resets connections, and goes on",
  onlyWithLimits,
  async () => {
    await using original = await answering("original");
    await using agent = await AgentProcess.start({
      openFiles: FILES,
      fallback: { host: "127.0.0.1", port: portOf(original) },
    });
    const silent = Array.from(
      { length: AT_ONCE },
      () => connect(agent.port, "127.0.0.1").on("error", () => {}),
    );
    await agent.logged("EMFILE");
    for (const socket of silent) socket.destroy();
    // those that still wait to be accepted come first, and take the files again
    const deadline = performance.now() + 5_000;
    let answer = "";
    while (answer === "" && performance.now() < deadline) {
      answer = await exchange(agent.port, "abc").catch(() => "");
    }
    assert.equal(answer, "original 3");
    assert.equal(await agent.ready(), 200);
  },
);

/** After half a second, so that connections pile up. */
function answeringLate(): Promise<Awaited<ReturnType<typeof listen>>> {
  return listen((socket) => {
    read(socket).then((text) => {
      setTimeout(() => socket.end(`local ${text.length}`), 500);
    }, () => {});
  });
}

function askAtOnce(port: number): Promise<string[]> {
  return Promise.all(
    Array.from({ length: AT_ONCE }, () => exchange(port, "abc")),
  );
}
