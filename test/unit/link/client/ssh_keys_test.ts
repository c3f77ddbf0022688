import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { Duplex } from "node:stream";
import { loadSsh2 } from "../../../../src/link/ssh/ssh2.ts";
import { generateKeyPair } from "../../../../src/link/client/ssh_keys.ts";
import { openSshLink } from "../../../../src/link/client/open_ssh_link.ts";

Deno.test("every key pair can be read, and its halves belong together", async () => {
  const { utils } = await loadSsh2();
  const data = Buffer.from("signed");
  // ssh2 alone spoils one in 256
  for (let i = 0; i < 1_000; i++) {
    const { privateKey, publicKey } = generateKeyPair();
    const own = utils.parseKey(privateKey);
    const shown = utils.parseKey(publicKey);
    assert.ok(!(own instanceof Error), privateKey);
    assert.ok(!(shown instanceof Error), publicKey);
    assert.equal(shown.getPublicSSH().length, 51, publicKey);
    const signature = own.sign(data);
    assert.ok(!(signature instanceof Error), privateKey);
    assert.equal(shown.verify(data, signature), true, privateKey);
  }
});

Deno.test("a private key that cannot be read fails the login, and leaves nothing behind", async () => {
  const { publicKey } = generateKeyPair();
  const stream = new Duplex({
    read() {},
    write(_chunk, _encoding, done) {
      done();
    },
  });
  const closed = once(stream, "close");
  const controller = new AbortController();
  await assert.rejects(
    openSshLink(stream, {
      privateKey: "no key",
      hostPublicKey: publicKey,
      signal: controller.signal,
      timeoutMs: 50,
    }),
    /Cannot parse privateKey/,
  );
  await closed;
  // neither the end of the session nor the deadline finds anything to reject
  controller.abort();
  await new Promise((resolve) => setTimeout(resolve, 100));
});
