import assert from "node:assert/strict";
import { UnsupportedError } from "../../../src/core/errors.ts";
import { readLocalNetworks } from "../../../src/net/local_networks.ts";
import type { LocalNetworks } from "../../../src/net/local_network.ts";
import { readIpJson } from "../../../src/net/ip_json.ts";
import { readNetstat } from "../../../src/net/netstat.ts";
import { readWindowsNetworks } from "../../../src/net/windows_networks.ts";

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
      "10.8.0.0/24 tun0 on-link",
      "192.168.1.0/24 wlan0 on-link",
      "172.31.0.5/32 wg0 route",
      "172.30.0.0/16 blackhole route",
      "172.29.0.0/16 wlan0 route",
      "fd01::/64 wlan0 on-link",
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
      "192.168.1.0/24 en0 on-link",
      "fd12:3456::/64 en0 on-link",
    ],
    addresses: ["192.168.1.20/32", "10.8.0.6/32"],
    gateways: ["192.168.1.1/32"],
  });
});

const WINDOWS = {
  routes: [
    { prefix: "0.0.0.0/0", gateway: "192.168.1.1", protocol: "NetMgmt" },
    { prefix: "0.0.0.0/0", gateway: "0.0.0.0", protocol: "NetMgmt" },
    { prefix: "::/0", gateway: "fe80::1", protocol: "NetMgmt" },
    { prefix: "127.0.0.0/8", gateway: "0.0.0.0", protocol: "Local" },
    { prefix: "192.168.1.0/24", gateway: "0.0.0.0", protocol: "Local" },
    { prefix: "192.168.1.20/32", gateway: "0.0.0.0", protocol: "Local" },
    { prefix: "192.168.1.255/32", gateway: "0.0.0.0", protocol: "Local" },
    { prefix: "224.0.0.0/4", gateway: "0.0.0.0", protocol: "Local" },
    { prefix: "255.255.255.255/32", gateway: "0.0.0.0", protocol: "Local" },
    { prefix: "10.8.0.0/16", gateway: "10.8.0.1", protocol: "NetMgmt" },
    { prefix: "172.20.1.9/32", gateway: "0.0.0.0", protocol: "NetMgmt" },
    { prefix: "fd01::/64", gateway: "::", protocol: "Local" },
    { prefix: "fd01::20/128", gateway: "::", protocol: "Local" },
    { prefix: "fe80::/64", gateway: "::", protocol: "Local" },
  ].map((route) => ({ device: "Wi-Fi", ...route })),
  addresses: [
    { address: "192.168.1.20", prefixLength: 24 },
    { address: "127.0.0.1", prefixLength: 8 },
    { address: "fd01::20", prefixLength: 64 },
    { address: "fe80::1c2b%12", prefixLength: 64 },
  ],
};

Deno.test("networks, addresses and gateways are read from what PowerShell tells", () => {
  assert.deepEqual(told(readWindowsNetworks(WINDOWS)), {
    networks: [
      "192.168.1.0/24 Wi-Fi on-link",
      "10.8.0.0/16 Wi-Fi route",
      "172.20.1.9/32 Wi-Fi route",
      "fd01::/64 Wi-Fi on-link",
    ],
    addresses: ["192.168.1.20/32", "fd01::20/128"],
    gateways: ["192.168.1.1/32", "fe80::1/128"],
  });
});

Deno.test("PowerShell's list of one thing is a list, in each form that it has", () => {
  const [route] = WINDOWS.routes.slice(-3);
  const networks = ["fd01::/64 Wi-Fi on-link"];
  for (const routes of [route, [route], { value: [route], Count: 1 }]) {
    const local = readWindowsNetworks({ routes, addresses: null });
    assert.deepEqual(told(local), { networks, addresses: [], gateways: [] });
  }
  const none = { networks: [], addresses: [], gateways: [] };
  assert.deepEqual(told(readWindowsNetworks({ routes: [] })), none);
  assert.deepEqual(told(readWindowsNetworks(null)), none);
});

Deno.test("Windows is asked by one script, without anything of ours on its command line", async () => {
  const calls: (readonly string[])[] = [];
  const local = await readLocalNetworks((command, args, options) => {
    calls.push([command, ...args]);
    assert.equal(options?.stdin, "null\n");
    const stdout = JSON.stringify(WINDOWS);
    return Promise.resolve({ code: 0, stdout, stderr: "" });
  }, { os: "windows" });
  assert.equal(local.networks.length, 4);
  const [[command, ...words] = []] = calls;
  assert.match(
    command!,
    /\\System32\\WindowsPowerShell\\v1\.0\\powershell\.exe$/,
  );
  assert.deepEqual(words.slice(0, -1), [
    "-NoLogo",
    "-NoProfile",
    "-NonInteractive",
    "-InputFormat",
    "Text",
    "-OutputFormat",
    "Text",
    "-EncodedCommand",
  ]);
  const script = new TextDecoder("utf-16le").decode(
    Uint8Array.fromBase64(words.at(-1)!),
  );
  assert.match(script, /^\s*\$global:ErrorActionPreference = 'Stop'/);
  assert.match(script, /Get-NetRoute -PolicyStore ActiveStore/);
});

Deno.test("a machine that cannot tell its networks is a clear error", async () => {
  const answers = (code: number, stdout: string) => () =>
    Promise.resolve({ code, stdout, stderr: "Option -json is unknown" });
  const cases = [
    [answers(1, ""), "linux", /Option -json is unknown/],
    [answers(0, "1: lo: <LOOPBACK>"), "linux", /no JSON/],
    [answers(1, ""), "windows", /PowerShell says "Option -json is unknown"/],
    [answers(0, "<"), "windows", /no JSON/],
    [answers(0, ""), "freebsd", /not "freebsd"/],
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
