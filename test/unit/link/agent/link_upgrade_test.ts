// The agent lets clients in that come through the API server's proxy, to a port which all the cluster reaches.
import assert from "node:assert/strict";
import { linkToken } from "../../../../src/link/wire/link_request.ts";
import { generateKeyPair } from "../../../../src/link/client/ssh_keys.ts";
import { openSshLink } from "../../../../src/link/client/open_ssh_link.ts";
import { AgentProcess, answering, portOf, read } from "./agent_process.ts";
import { requestUpgrade } from "./request_upgrade.ts";

Deno.test("a client with the token comes in and has a link like any other", async () => {
  await using agent = await AgentProcess.start();
  await using endpoint = await answering("endpoint");
  const token = linkToken(agent.hostKeys.publicKey);
  const stream = await requestUpgrade(agent, { token });
  assert(typeof stream !== "number", `refused with ${stream}`);
  await using link = await openSshLink(stream, {
    privateKey: agent.clientKeys.privateKey,
    hostPublicKey: agent.hostKeys.publicKey,
  });
  const dialled = await link.dial("127.0.0.1", portOf(endpoint));
  dialled.end(new Uint8Array(1 << 20));
  assert.equal(await read(dialled), `endpoint ${1 << 20}`);
});

Deno.test("the token alone is no login", async () => {
  await using agent = await AgentProcess.start();
  const token = linkToken(agent.hostKeys.publicKey);
  const stream = await requestUpgrade(agent, { token });
  assert(typeof stream !== "number");
  const other = generateKeyPair();
  const opening = openSshLink(stream, {
    privateKey: other.privateKey,
    hostPublicKey: agent.hostKeys.publicKey,
  });
  await assert.rejects(opening, { code: "LINK_REFUSED" });
});

Deno.test("whoever does not know the token, or asks for something else, hears not a word of SSH", async () => {
  await using agent = await AgentProcess.start();
  const token = linkToken(agent.hostKeys.publicKey);
  const strangers = {
    "no token": {},
    "a token of another key": {
      token: linkToken(generateKeyPair().publicKey),
    },
    "half a token": { token: token.slice(0, 20) },
    "another path": { token, path: "/status" },
    "another protocol": { token, protocol: "websocket" },
  };
  for (const [what, asked] of Object.entries(strangers)) {
    assert.equal(await requestUpgrade(agent, asked), 404, what);
  }
  assert.equal(await agent.ready(), 200);
  assert.doesNotMatch(agent.log, /client/);
});
