import assert from "node:assert/strict";
import { connect } from "node:net";
import {
  ConflictError,
  LinkError,
  PermissionError,
  UnsupportedError,
} from "../../../../src/core/errors.ts";
import { readSocketAddress } from "../../../../src/net/capture/original_destination.ts";
import { probeRedirect } from "../../../../src/net/capture/probe_redirect.ts";
import { openTransparentListener } from "../../../../src/net/capture/transparent_listener.ts";

const link = {
  dial: () => assert.fail("nothing was redirected"),
};
const ignore = Deno.build.os !== "linux";

Deno.test({
  name:
    "a connection to the listener itself is reset, not sent round in circles",
  ignore,
  async fn() {
    const refused: string[] = [];
    await using listener = await openTransparentListener({
      link,
      onRefused: (_, { code }) => refused.push(code),
    });
    const hosts = ["127.0.0.1", ...listener.hasIpv6 ? ["::1"] : []];
    for (const host of hosts) {
      const socket = connect({ host, port: listener.port });
      const { code } = await new Promise<Error & { code?: string }>(
        (resolve) => socket.once("error", resolve),
      );
      assert.equal(code, "ECONNRESET");
    }
    assert.deepEqual(refused, hosts.map(() => "NOT_REDIRECTED"));
  },
});

Deno.test({
  name: "a port that is taken is named",
  ignore,
  async fn() {
    await using first = await openTransparentListener({ link });
    await assert.rejects(
      openTransparentListener({ link, port: first.port }),
      (error) =>
        error instanceof ConflictError && error.code === "PORT_IN_USE" &&
        error.message.includes(String(first.port)),
    );
  },
});

Deno.test({
  name: "without the permission for FFI there is a clear error",
  ignore,
  permissions: { net: true, ffi: false },
  fn: () =>
    assert.rejects(
      openTransparentListener({ link }),
      (error) =>
        error instanceof PermissionError && error.code === "FFI_NOT_ALLOWED" &&
        error.hint!.includes("--allow-ffi"),
    ),
});

Deno.test("socket addresses are read in network order", () => {
  const bytes = new Uint8Array(28);
  bytes.set([2, 0, 0x1f, 0x90, 10, 96, 0, 1]);
  assert.deepEqual(readSocketAddress(bytes, 4), {
    host: "10.96.0.1",
    port: 8080,
  });
  bytes.fill(0).set([10, 0, 0, 80, 0, 0, 0, 0, 0xfd, 0]);
  bytes[23] = 9;
  assert.deepEqual(readSocketAddress(bytes, 6), { host: "fd00::9", port: 80 });
});

Deno.test("where nothing can redirect, the error says what was tried and what to do", async () => {
  const machine = {
    exec: (command: string) =>
      Promise.reject(
        new UnsupportedError("COMMAND_NOT_FOUND", `Cannot find "${command}"`),
      ),
  };
  await assert.rejects(probeRedirect(machine, { os: "linux" }), (error) => {
    assert.ok(error instanceof UnsupportedError);
    assert.match(error.details.join(), /nft: .*,iptables: /);
    assert.match(error.hint!, /Install nftables/);
    return true;
  });
});

Deno.test("Windows is refused before anything is run", async () => {
  const machine = { exec: () => assert.fail("it ran something") };
  await assert.rejects(
    probeRedirect(machine, { os: "windows" }),
    (error) =>
      error instanceof UnsupportedError && error.message.includes("Windows"),
  );
});

Deno.test({
  name: "another system's way to learn destinations takes the place of Linux's",
  ignore,
  async fn() {
    const dialled: string[] = [];
    const asked: (number | undefined)[] = [];
    let isClosed = false;
    const destinations = {
      of({ localPort }: { localPort?: number }) {
        asked.push(localPort);
        return Promise.resolve({ host: "10.96.0.1", port: 443 });
      },
      [Symbol.dispose]: () => void (isClosed = true),
    };
    {
      await using listener = await openTransparentListener({
        link: {
          dial(host, port) {
            dialled.push(`${host} ${port}`);
            return Promise.reject(new LinkError("DIAL_REFUSED", "No"));
          },
        },
        destinations,
      });
      const { port } = listener;
      const socket = connect({ host: "127.0.0.1", port });
      await new Promise((resolve) => socket.once("error", resolve));
      assert.deepEqual(asked, [port]);
    }
    assert.deepEqual(dialled, ["10.96.0.1 443"]);
    assert.ok(isClosed);
  },
});
