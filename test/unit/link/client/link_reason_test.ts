// What a user reads where the agent was killed while it was logged in to.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Duplex, PassThrough } from "node:stream";
import { dialError } from "../../../../src/link/client/dial_error.ts";
import { generateKeyPair } from "../../../../src/link/client/ssh_keys.ts";
import { openSshLink } from "../../../../src/link/client/open_ssh_link.ts";
import { listen, portOf } from "../agent/agent_process.ts";

/** What is written into it meets a stream that is gone, as a carrier's socket is. */
function overDestroyed(): Duplex {
  const gone = new PassThrough();
  gone.destroy();
  return new Duplex({
    read() {},
    write: (chunk, _encoding, done) => void gone.write(chunk, done),
  });
}

async function saysClosed(carrier: Duplex): Promise<void> {
  const { privateKey, publicKey: hostPublicKey } = generateKeyPair();
  await assert.rejects(openSshLink(carrier, { privateKey, hostPublicKey }), {
    code: "LINK_HANDSHAKE",
    message:
      "Cannot open an SSH connection to the agent: the connection was closed",
  });
}

Deno.test("a login over a stream that is gone says that the connection was closed, in no words of the runtime", async () => {
  await saysClosed(overDestroyed());
  await saysClosed(new PassThrough().destroy());
});

const PEERS: Readonly<Record<string, (socket: Socket) => void>> = {
  "hangs up": (socket) => socket.end(),
  "resets it": (socket) => socket.resetAndDestroy(),
};

for (const [what, end] of Object.entries(PEERS)) {
  Deno.test(`a login over a connection whose peer ${what} says that it was closed`, async () => {
    await using server = await listen((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => end(socket));
    });
    const carrier = connect(portOf(server), "127.0.0.1");
    await once(carrier, "connect");
    await saysClosed(carrier);
  });
}

Deno.test("a dial that the end of the link cut off says so", async () => {
  const gone = new PassThrough().destroy();
  const { promise, resolve } = Promise.withResolvers<unknown>();
  gone.on("error", () => {});
  gone.write("x", resolve);
  assert.equal(
    dialError("db:5432", await promise).message,
    'Cannot connect to "db:5432" from the pod: the connection was closed',
  );
});
