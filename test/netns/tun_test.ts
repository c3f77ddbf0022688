import assert from "node:assert/strict";
import { ConflictError } from "../../src/core/errors.ts";
import {
  openTunOperation,
  probeTunOperation,
  tunRoutesOperation,
} from "../../src/helper/tun_operations.ts";
import { obstacleWithout } from "./packages.ts";
import { TunLab } from "./tun_lab.ts";
import { PORT } from "./tun_ports.ts";

const obstacle = await obstacleWithout({
  ip: "iproute2",
  ping: "iputils-ping",
  setpriv: "util-linux",
});

function test(claim: string, fn: () => Promise<void>): void {
  const name = obstacle === undefined ? claim : `${claim} (${obstacle})`;
  Deno.test({ name, ignore: obstacle !== undefined, fn });
}

const MIB = 1 << 20;
const none = () => {};

test("tun: 100 MiB each way arrive unchanged, by IPv4 and some by IPv6", async () => {
  await using lab = await TunLab.create();
  await using _client = await lab.client(await lab.open());
  assert.equal(
    await lab.app("transfer", "10.96.0.1", PORT.echo, 100 * MIB),
    "same",
  );
  assert.equal(
    await lab.app("transfer", "fd96::1", PORT.echo, 20 * MIB),
    "same",
  );
});
