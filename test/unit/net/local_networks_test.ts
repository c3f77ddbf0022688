import assert from "node:assert/strict";
import { UnsupportedError } from "../../../src/core/errors.ts";
import {
  type LocalNetworks,
  readLocalNetworks,
} from "../../../src/net/local_networks.ts";
import { readIpJson } from "../../../src/net/ip_json.ts";
import { readNetstat } from "../../../src/net/netstat.ts";

const told = ({ networks, addresses, gateways }: LocalNetworks) => ({
  networks: networks.map(({ cidr, device, kind }) =>
    `${cidr} ${device} ${kind}`
  ),
  addresses: addresses.map(String),
  gateways: gateways.map(String),
});

const ADDRESSES = JSON.stringify([
  { ifname: "lo", addr_info: [{ local: "127.0.0.1" }, { local: "::1" }] },
  {
    ifname: "wlan0",
    addr_info: [
      { family: "inet", local: "192.168.1.20", prefixlen: 24 },
      { family: "inet6", local: "fd01::20", prefixlen: 64 },
      { family: "inet6", local: "fe80::1234", prefixlen: 64 },
    ],
  },
  { ifname: "tun0", addr_info: [{ local: "10.8.0.6", prefixlen: 24 }] },
  {},
]);
const ROUTES_4 = JSON.stringify([
  { dst: "default", gateway: "192.168.1.1", dev: "wlan0", protocol: "dhcp" },
  { dst: "0.0.0.0/1", gateway: "10.8.0.1", dev: "tun0" },
  { dst: "10.0.0.0/8", gateway: "10.8.0.1", dev: "tun0", protocol: "static" },
  { dst: "10.8.0.0/24", dev: "tun0", protocol: "kernel", scope: "link" },
  {
    dst: "192.168.1.0/24",
    dev: "wlan0",
    protocol: "kernel",
    scope: "link",
    prefsrc: "192.168.1.20",
  },
  { dst: "172.31.0.5", dev: "wg0", table: "51820", scope: "link" },
  { type: "blackhole", dst: "172.30.0.0/16" },
  { type: "local", dst: "192.168.1.20", dev: "wlan0", table: "local" },
  { type: "broadcast", dst: "192.168.1.255", dev: "wlan0", table: "local" },
  {
    dst: "172.29.0.0/16",
    nexthops: [{ gateway: "192.168.1.2", dev: "wlan0" }],
  },
]);
const ROUTES_6 = JSON.stringify([
  { dst: "::1", dev: "lo", protocol: "kernel" },
  { dst: "fd01::/64", dev: "wlan0", protocol: "kernel", pref: "medium" },
  { dst: "fe80::/64", dev: "wlan0", protocol: "kernel" },
  { type: "multicast", dst: "ff00::/8", dev: "wlan0", table: "local" },
  { dst: "default", gateway: "fe80::1", dev: "wlan0", protocol: "ra" },
  { dst: "default", nexthops: [{ gateway: "fd01::1", dev: "wlan0" }] },
]);

Deno.test("networks, addresses and gateways are read from what iproute2 prints", () => {
  assert.deepEqual(told(readIpJson(ADDRESSES, [ROUTES_4, ROUTES_6])), {
    networks: [
      "10.0.0.0/8 tun0 route",
      "10.8.0.0/24 tun0 attached",
      "192.168.1.0/24 wlan0 attached",
      "172.31.0.5/32 wg0 route",
      "172.30.0.0/16 blackhole route",
      "172.29.0.0/16 wlan0 route",
      "fd01::/64 wlan0 attached",
    ],
    addresses: ["192.168.1.20/32", "fd01::20/128", "10.8.0.6/32"],
    gateways: ["192.168.1.1/32", "fe80::1/128", "fd01::1/128"],
  });
});

Deno.test("networks, addresses and gateways are read from what macOS prints", () => {
  const interfaces = `lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> mtu 16384
\tinet 127.0.0.1 netmask 0xff000000
\tinet6 ::1 prefixlen 128
en0: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500
\tether 3c:22:fb:00:00:00
\tinet6 fe80::1c2b:1%en0 prefixlen 64 secured scopeid 0x6
\tinet 192.168.1.20 netmask 0xffffff00 broadcast 192.168.1.255
utun4: flags=8051<UP,POINTOPOINT,RUNNING,MULTICAST> mtu 1380
\tinet 10.8.0.6 --> 10.8.0.5 netmask 0xffffffff
`;
  const routes = `Routing tables

Internet:
Destination        Gateway            Flags               Netif Expire
default            192.168.1.1        UGScg                 en0
10.8/16            10.8.0.5           UGSc                utun4
127                127.0.0.1          UCS                   lo0
127.0.0.1          127.0.0.1          UH                    lo0
169.254            link#6             UCS                   en0      !
172.20.1.9/32      10.8.0.5           UGHS                utun4
192.168.1          link#6             UCS                   en0      !
192.168.1.1        a4:2b:b0:00:00:00  UHLWIir               en0   1180
224.0.0/4          link#6             UmCS                  en0      !

Internet6:
Destination                             Gateway                 Flags           Netif Expire
default                                 fe80::%utun0            UGcIg           utun0
::1                                     ::1                     UHL               lo0
fd12:3456::/64                          link#6                  UC                en0
fe80::%lo0/64                           fe80::1%lo0             UcI               lo0
`;
  assert.deepEqual(told(readNetstat(interfaces, routes)), {
    networks: [
      "10.8.0.0/16 utun4 route",
      "172.20.1.9/32 utun4 route",
      "192.168.1.0/24 en0 attached",
      "fd12:3456::/64 en0 attached",
    ],
    addresses: ["192.168.1.20/32", "10.8.0.6/32"],
    gateways: ["192.168.1.1/32"],
  });
});

Deno.test("a machine that cannot tell its networks is a clear error", async () => {
  const answers = (code: number, stdout: string) => () =>
    Promise.resolve({ code, stdout, stderr: "Option -json is unknown" });
  const cases = [
    [answers(1, ""), "linux", /Option -json is unknown/],
    [answers(0, "1: lo: <LOOPBACK>"), "linux", /no JSON/],
    [answers(0, ""), "windows", /not for "windows"/],
  ] as const;
  for (const [run, os, message] of cases) {
    await assert.rejects(readLocalNetworks(run, { os }), (error) => {
      assert.ok(error instanceof UnsupportedError);
      assert.match(error.message, message);
      return true;
    });
  }
  assert.deepEqual(
    told(await readLocalNetworks(answers(0, ""), { os: "linux" })),
    { networks: [], addresses: [], gateways: [] },
  );
});
