import assert from "node:assert/strict";
import fc from "fast-check";
import * as v from "valibot";
import { Cidr } from "../../../../../src/net/cidr.ts";
import { chooseTunAddresses } from "../../../../../src/net/tun/choose_tun_addresses.ts";
import {
  openTunArgsSchema,
  tunRoutesArgsSchema,
} from "../../../../../src/net/tun/tun_args.ts";
import {
  deviceCommands,
  tunDeviceStep,
} from "../../../../../src/net/tun/linux/tun_device_step.ts";

const ARGS = {
  session: "x1y2",
  device: "ktctl0",
  uid: 1000,
  mtu: 1500,
  cidrs: ["10.96.0.0/12", "127.0.0.0/8", "fd96::/112"],
  ipv4: { local: "198.19.255.253", peer: "198.19.255.254" },
};
const ipv6 = { local: "fd6b:7463:746c::fffd", peer: "fd6b:7463:746c::fffe" };

Deno.test("deviceCommands() is one script for a device, its addresses and routes", () => {
  assert.deepEqual(deviceCommands({ ...ARGS, ipv6 }), [
    "tuntap add dev ktctl0 mode tun user 1000 vnet_hdr",
    "link set dev ktctl0 alias ktctl:x1y2",
    "link set dev ktctl0 addrgenmode none",
    "link set dev ktctl0 mtu 1500 txqueuelen 1000 up",
    "address add 198.19.255.253 peer 198.19.255.254/32 dev ktctl0",
    "address add fd6b:7463:746c::fffd peer fd6b:7463:746c::fffe/128 dev ktctl0 nodad",
    "route add 10.96.0.0/12 dev ktctl0",
    "route add fd96::/112 dev ktctl0",
  ]);
  assert.deepEqual(
    deviceCommands({ ...ARGS, cidrs: ["fd96::/112"] }).filter((line) =>
      line.startsWith("route") || line.includes("addrgenmode")
    ),
    [],
  );
});

Deno.test("tunDeviceStep deletes a device of its name only with its alias", async () => {
  const revert = async (links: unknown) => {
    const asked: string[] = [];
    await tunDeviceStep.revert(ARGS, {
      exec(program, args) {
        asked.push([program, ...args].join(" "));
        return Promise.resolve({
          code: 0,
          stdout: JSON.stringify(links),
          stderr: "",
        });
      },
    }, new AbortController().signal);
    return asked.slice(1);
  };
  assert.deepEqual(
    await revert([{ ifname: "ktctl0", ifalias: "ktctl:x1y2" }]),
    ["ip link delete dev ktctl0"],
  );
  assert.deepEqual(await revert([]), []);
  assert.deepEqual(await revert([{ ifname: "ktctl0" }]), []);
  assert.deepEqual(
    await revert([
      { ifname: "ktctl0", ifalias: "ktctl:other" },
      { ifname: "ktctl1", ifalias: "ktctl:x1y2" },
    ]),
    [],
  );
});

Deno.test("chooseTunAddresses() takes a pair that clashes with nothing", () => {
  const cidrs = fc.array(
    fc.tuple(fc.nat(0x1ffff), fc.integer({ min: 16, max: 32 })),
    { maxLength: 30 },
  );
  fc.assert(fc.property(cidrs, (list) => {
    const taken = list.map(([at, prefix]) =>
      new Cidr(4, 0xc612_0000n + BigInt(at), prefix)
    );
    const { local, peer } = chooseTunAddresses(4, taken);
    for (const address of [local, peer]) {
      const cidr = Cidr.parse(address);
      assert.ok(taken.every((one) => !one.overlaps(cidr)));
    }
    assert.equal(Cidr.parse(local).first + 1n, Cidr.parse(peer).first);
  }));
});

Deno.test("chooseTunAddresses() goes on where a whole pool has a route, and gives up in the end", () => {
  assert.deepEqual(chooseTunAddresses(4, []), ARGS.ipv4);
  assert.deepEqual(chooseTunAddresses(6, []), ipv6);
  const pool = Cidr.parse("198.18.0.0/15");
  assert.equal(chooseTunAddresses(4, [pool]).local, "203.0.113.253");
  assert.throws(
    () => chooseTunAddresses(4, [Cidr.parse("128.0.0.0/1")]),
    { code: "TUN_NO_ADDRESS" },
  );
});

Deno.test("the helper takes nothing but names, numbers and ranges", () => {
  const { device, ipv4: _, ...args } = ARGS;
  assert.ok(v.is(openTunArgsSchema, args));
  for (
    const wrong of [
      { session: "a b" },
      { session: "x\nlink delete dev eth0" },
      { session: "" },
      { session: "x".repeat(17) },
      { uid: -1 },
      { uid: 1.5 },
      { uid: 0xffff_ffff },
      { uid: "0" },
      { mtu: 1279 },
      { mtu: 65_536 },
      { cidrs: ["10.0.0.0/8 dev eth0"] },
      { cidrs: ["10.0.0.0/8\nlink delete dev eth0"] },
      { cidrs: ["default"] },
      { more: 1 },
    ]
  ) {
    assert.ok(
      !v.is(openTunArgsSchema, { ...args, ...wrong }),
      `${JSON.stringify(wrong)}`,
    );
  }
  const routes = { session: "x1y2", device, cidrs: [] };
  assert.ok(v.is(tunRoutesArgsSchema, routes));
  for (
    const device of ["eth0", "ktctl", "ktctl0 alias x", "ktctl0\n", "ktctl1234"]
  ) {
    assert.ok(!v.is(tunRoutesArgsSchema, { ...routes, device }), device);
  }
});
