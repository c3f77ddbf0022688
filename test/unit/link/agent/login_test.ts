import assert from "node:assert/strict";
import { clientKey } from "../../../../src/link/wire/client_key.ts";
import { generateKeyPair } from "../../../../src/link/client/ssh_keys.ts";
import { AgentProcess, listen, portOf } from "./agent_process.ts";
import { testEachProtocol } from "./test_each_protocol.ts";

testEachProtocol(
  "a wrong host key is refused before the client logs in",
  async (protocol) => {
    await using agent = await AgentProcess.start({ protocol });
    const other = generateKeyPair();
    await assert.rejects(agent.link({ hostPublicKey: other.publicKey }), {
      name: "LinkError",
      code: "HOST_KEY_MISMATCH",
    });
    assert.ok(!agent.log.includes("client connected"));
  },
);

testEachProtocol("a wrong client key is refused", async (protocol) => {
  await using agent = await AgentProcess.start({ protocol });
  const other = generateKeyPair();
  await assert.rejects(async () => {
    await using link = await agent.link({ privateKey: other.privateKey });
    await link.resolver();
  }, { code: protocol === "ssh" ? "LINK_REFUSED" : "LINK_LOST" });
  assert.ok(!agent.log.includes("client connected"));
  await using _right = await agent.link();
});

testEachProtocol(
  "an agent that never answers ends the login at its deadline",
  async (protocol) => {
    await using agent = await AgentProcess.start({ protocol });
    await using mute = await listen((socket) =>
      void socket.resume().on("end", () => socket.end())
    );
    const via = portOf(mute);
    await assert.rejects(agent.link({ via, timeoutMs: 200 }), {
      code: "LINK_TIMEOUT",
    });
  },
);

testEachProtocol("a login is cancelled by its signal", async (protocol) => {
  await using agent = await AgentProcess.start({ protocol });
  await assert.rejects(agent.link({ signal: AbortSignal.abort() }), {
    code: "CANCELLED",
  });
});

testEachProtocol(
  "an agent without ports is ready, and tells whether a client is logged in",
  async (protocol) => {
    await using agent = await AgentProcess.start({ protocol, ports: [] });
    assert.equal(await agent.ready(), 200);
    assert.equal((await agent.status()).attached, false);
    const link = await agent.link();
    const other = await agent.link();
    await agent.logged("client connected", 2);
    assert.equal((await agent.status()).attached, true);
    await link.close();
    await agent.logged("client disconnected");
    assert.equal((await agent.status()).attached, true);
    await other.close();
    await agent.logged("client disconnected", 2);
    assert.equal((await agent.status()).attached, false);
  },
);

testEachProtocol(
  "an agent tells those who know a name whether it is logged in, and nobody any names",
  async (protocol) => {
    await using agent = await AgentProcess.start({ protocol, ports: [] });
    const attached = async () =>
      Object.fromEntries(
        Object.entries((await agent.status()).clients).map((
          [name, { attached }],
        ) => [name, attached]),
      );
    const expected = (clients: Record<string, boolean>) =>
      Object.fromEntries(
        Object.entries(clients).map(([name, is]) => [clientKey(name), is]),
      );
    const alice = await agent.link({ username: "alice" });
    const again = await agent.link({ username: "alice" });
    await using _ = await agent.link({ username: "bob" });
    await agent.logged("client connected", 3);
    assert.deepEqual(await attached(), expected({ alice: true, bob: true }));
    await alice.close();
    await agent.logged("client disconnected");
    assert.deepEqual(await attached(), expected({ alice: true, bob: true }));
    await again.close();
    await agent.logged("client disconnected", 2);
    assert.deepEqual(await attached(), expected({ alice: false, bob: true }));
  },
);
