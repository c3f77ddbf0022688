import assert from "node:assert/strict";
import { CapturedRanges } from "../../../../src/commands/connect/captured_ranges.ts";
import { Cidr } from "../../../../src/net/cidr.ts";
import type { LocalNetworks } from "../../../../src/net/local_network.ts";
import { AddressKube, node } from "../../cluster/address_kube.ts";

class ServedByAddress extends AddressKube {
  override readonly server = "https://192.0.2.9:6443";
}

/** A network that the machine is in, by Wi-Fi, and the device that `connect` has made. */
function inNetwork(cidr: string, { gateway }: { gateway: string }) {
  return {
    networks: [
      { cidr: Cidr.parse(cidr), device: "wlan0", kind: "on-link" },
      { cidr: Cidr.parse("10.244.0.0/16"), device: "ktctl7", kind: "route" },
    ],
    addresses: [],
    gateways: [Cidr.parse(gateway)],
  } satisfies LocalNetworks;
}

/** Ranges of a machine that comes into one network after the other. */
async function find(...networks: LocalNetworks[]) {
  const kube = new ServedByAddress();
  kube.objects["v1/nodes"] = [node(["10.244.0.0/16"])];
  const warnings: string[] = [];
  const ranges = await CapturedRanges.find({
    kube: kube.api,
    report: {
      warn: (_code: string, text: string) => void warnings.push(text),
    } as never,
    signal: new AbortController().signal,
    connect: { disablePodIp: false, includeIps: [], excludeIps: [] },
    nameServers: [],
    readNetworks: () => Promise.resolve(networks.shift()!),
  });
  warnings.length = 0;
  const has = (address: string) =>
    ranges.cidrs.some((cidr) => Cidr.parse(cidr).contains(Cidr.parse(address)));
  return { ranges, kube, warnings, has };
}

Deno.test("in another network its gateway and its own range are left out, and the former one's are not any more; routes of our own device are none of the machine's", async () => {
  const { ranges, warnings, has } = await find(
    inNetwork("10.244.8.0/24", { gateway: "10.244.8.1" }),
    inNetwork("10.244.0.0/16", { gateway: "10.244.77.1" }),
    inNetwork("192.168.1.0/24", { gateway: "192.168.1.1" }),
  );
  assert.ok(!has("10.244.8.9"));
  await ranges.setNetworks("ktctl7");
  assert.ok(has("10.244.8.9"));
  assert.ok(!has("10.244.77.1"));
  assert.match(warnings.join(), /10\.244\.0\.0\/16 of .*"wlan0" overlaps/);
  warnings.length = 0;
  await ranges.setNetworks("ktctl7");
  assert.deepEqual(ranges.cidrs, ["10.244.0.0/16"]);
  assert.deepEqual(warnings, []);
});

Deno.test("addresses that the API server gets later are left out, and those of before stay so", async () => {
  const home = () => inNetwork("192.168.1.0/24", { gateway: "192.168.1.1" });
  const { ranges, kube, has } = await find(home(), home(), home());
  kube.peerAddresses = ["10.244.5.5"];
  await ranges.setNetworks("ktctl7");
  assert.ok(!has("10.244.5.5"));
  kube.peerAddresses = [];
  await ranges.setNetworks("ktctl7");
  assert.ok(!has("10.244.5.5"));
});
