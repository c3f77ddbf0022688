import assert from "node:assert/strict";
import { planCapture } from "../../src/net/capture_plan.ts";
import { Cidr } from "../../src/net/cidr.ts";
import { readLocalNetworks } from "../../src/net/local_networks.ts";
import { NetworkNamespace } from "./network_namespace.ts";

Deno.test("clashes with what this machine's routes say are found, and nothing is changed", async () => {
  await using space = await NetworkNamespace.create();
  await space.batch([
    "link add vpn type veth peer name vpnfar",
    "link set vpn up",
    "link set vpnfar up",
    "address add 10.8.0.6/24 dev vpn",
    "route add 10.96.0.0/12 via 10.8.0.1 dev vpn",
    "route add 10.244.7.0/24 dev vpn table 100",
    "route add blackhole 10.244.8.0/24",
    "address add fd96::6/64 dev vpn nodad",
  ]);
  const routes = () => space.run("ip", "route", "show", "table", "all");
  const before = await routes();
  const local = await readLocalNetworks(space.exec);
  assert.deepEqual(
    local.addresses.map(String).toSorted(),
    ["10.8.0.6/32", "198.18.0.2/32", "fd18::2/128", "fd96::6/128"],
  );
  assert.deepEqual(local.gateways.map(String), [
    "198.18.0.1/32",
    "fd18::1/128",
  ]);
  const plan = planCapture({
    cluster: ["10.96.0.0/16", "10.244.0.0/16", "fd96::/112"].map(Cidr.parse),
    include: [Cidr.parse("198.18.0.0/30")],
    local,
  });
  assert.deepEqual(
    plan.clashes.map(({ cluster, local, outcome }) =>
      `${outcome} ${cluster} ${local.cidr} ${local.device} ${local.kind}`
    ).toSorted(),
    [
      "captured 10.96.0.0/16 10.96.0.0/12 vpn route",
      "captured 198.18.0.0/30 198.18.0.0/24 out on-link",
      "captured fd96::/112 fd96::/64 vpn on-link",
      "left-out 10.244.0.0/16 10.244.7.0/24 vpn route",
      "left-out 10.244.0.0/16 10.244.8.0/24 blackhole route",
    ],
  );
  const captures = (text: string) =>
    plan.cidrs.some((cidr) => cidr.contains(Cidr.parse(text)));
  const probes = [
    "10.96.0.1",
    "10.244.6.1",
    "10.244.7.1",
    "198.18.0.1",
    "198.18.0.2",
    "198.18.0.3",
    "fd96::6",
    "fd96::7",
  ];
  assert.deepEqual(probes.filter(captures), [
    "10.96.0.1",
    "10.244.6.1",
    "198.18.0.3",
    "fd96::7",
  ]);
  assert.equal(await routes(), before);
});
