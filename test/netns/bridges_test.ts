import assert from "node:assert/strict";
import { UsageError } from "../../src/core/errors.ts";
import { findBridges } from "../../src/net/bridges/find_bridges.ts";
import type { BridgeNamesConfig } from "./bridge_names.ts";
import { firstLine } from "./dns_namespace.ts";
import {
  addBridge,
  addGuest,
  addStranger,
  BRIDGE,
  BRIDGE_ADDRESSES,
} from "./neighbours.ts";
import { NetworkNamespace } from "./network_namespace.ts";
import { obstacleWithout } from "./packages.ts";

const obstacle = await obstacleWithout({
  ip: "iproute2",
  dig: "bind9-dnsutils",
});

function test(claim: string, fn: () => Promise<void>): void {
  const name = obstacle === undefined ? claim : `${claim} (${obstacle})`;
  Deno.test({ name, ignore: obstacle !== undefined, fn });
}

test("bridges: containers get names at their bridge's address, strangers do not", async () => {
  await using laptop = await NetworkNamespace.create();
  await addBridge(laptop);
  await using guest = await addGuest(laptop);
  await using stranger = await addStranger(laptop);
  const config: BridgeNamesConfig = {
    wanted: [
      ...BRIDGE_ADDRESSES.map((address) => [address, "docker*"] as const),
      [BRIDGE_ADDRESSES[0], BRIDGE], // taken
      ["203.0.113.1", BRIDGE], // not the bridge's
      ["203.0.113.1", "lan"], // where strangers are
    ],
  };
  const session = laptop.spawn("bridge_names.ts", config);
  await using _ = {
    async [Symbol.asyncDispose]() {
      session.kill("SIGKILL");
      await session.status;
      await session.stdout.cancel();
    },
  };
  assert.deepEqual(JSON.parse(await firstLine(session.stdout)), [
    "open",
    "open",
    "DNS_PORT_TAKEN",
    "DNS_ADDRESS_REFUSED",
    "BRIDGE_REFUSED",
  ]);
  for (const server of BRIDGE_ADDRESSES) {
    for (const how of ["+notcp", "+tcp"]) {
      const ask = async (from: NetworkNamespace) => {
        const words = ["+short", "+time=1", "+tries=1", how, "web"];
        const { stdout } = await from.exec("dig", [`@${server}`, ...words]);
        return stdout.replace(/^;.*$/gm, "").trim();
      };
      assert.equal(await ask(guest), "10.96.0.7", `${server} ${how}`);
      assert.equal(await ask(laptop), "10.96.0.7", `${server} ${how}`);
      assert.equal(await ask(stranger), "", `${server} ${how}`);
    }
  }
});

test("bridges: a network that is no bridge's any more lets nobody in", async () => {
  await using laptop = await NetworkNamespace.create();
  await addBridge(laptop);
  const module = new URL(
    "../../src/net/bridges/bridge_senders.ts",
    import.meta.url,
  );
  const script = `
    const { BridgeSenders } = await import(${JSON.stringify(module.href)});
    const senders = new BridgeSenders(["${BRIDGE}"]);
    const has = () => ["198.19.0.9", "::ffff:198.19.0.9", "fd19::9", "127.0.0.1",
      "203.0.113.2", "fe80::1%${BRIDGE}", undefined].map((one) => senders.has(one)).join();
    console.log(has());
    await new Deno.Command("ip", { args: ["address", "flush", "dev", "${BRIDGE}"] }).output();
    console.log(has());`;
  const told = await laptop.run(Deno.execPath(), "eval", script);
  assert.deepEqual(told.trim().split("\n"), [
    "true,true,true,true,false,false,false",
    "false,false,false,true,false,false,false",
  ]);
});

test("bridges: what leads to others than containers is refused, and what is not there", async () => {
  await using laptop = await NetworkNamespace.create();
  await addBridge(laptop);
  await using _guest = await addGuest(laptop);
  await using _stranger = await addStranger(laptop);
  const find = async (...names: string[]) => {
    const found = await findBridges(laptop.exec, names);
    return found.map(({ name, addresses }) => [name, ...addresses].join(" "));
  };
  const docker = `${BRIDGE} ${BRIDGE_ADDRESSES.join(" ")}`;
  assert.deepEqual(await find(BRIDGE, "br-*"), [docker]);
  const refuses = (names: string[], text: RegExp) =>
    assert.rejects(find(...names), (error) => {
      assert.ok(error instanceof UsageError);
      assert.equal(error.code, "BRIDGE_REFUSED");
      assert.match(error.message, text);
      return true;
    });
  await refuses(["lan"], /others .* behind "nic"/);
  await refuses(["out"], /"out" is not a bridge/);
  await refuses(["la*"], /behind "nic"/);
  await refuses([BRIDGE, "podman0"], /no device "podman0"/);
  await laptop.batch([`route replace default via 198.19.0.2 dev ${BRIDGE}`]);
  await refuses([BRIDGE], /behind "docker0"/); // the way to the Internet
});
