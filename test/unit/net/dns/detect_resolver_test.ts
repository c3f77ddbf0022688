import assert from "node:assert/strict";
import {
  detectResolver,
  type ResolverFiles,
} from "../../../../src/net/dns/detect_resolver.ts";
import { readWindowsNameServers } from "../../../../src/net/dns/windows_name_servers.ts";
import { insertResolvConfBlock } from "../../../../src/link/dns/resolv_conf_block.ts";
import { serviceHosts } from "../../../../src/net/dns/service_hosts.ts";

const OURS = "127.0.0.153";

function detect(files: Partial<ResolverFiles>): string {
  const { kind, upstreams } = detectResolver({
    platform: "linux",
    resolvConf: undefined,
    resolvedUpstreams: undefined,
    nsswitch: undefined,
    ...files,
  }, [OURS]);
  return `${kind} ${upstreams.map(({ host }) => host).join(",")}`;
}

const PLAIN = "nameserver 10.0.0.1\nnameserver 10.0.0.2\n";
const STUB = "nameserver 127.0.0.53\noptions edns0 trust-ad\n";
const UPSTREAMS = "nameserver 192.0.2.53\n";

Deno.test("a plain resolv.conf is in charge where no program is", () => {
  assert.equal(detect({ resolvConf: PLAIN }), "resolv-conf 10.0.0.1,10.0.0.2");
  assert.equal(detect({}), "resolv-conf 127.0.0.1");
});

Deno.test("systemd-resolved is in charge where resolv.conf or nsswitch leads to it", () => {
  const resolved = { resolvedUpstreams: UPSTREAMS };
  assert.equal(
    detect({ ...resolved, resolvConf: STUB }),
    "systemd-resolved 192.0.2.53",
  );
  assert.equal(
    detect({
      ...resolved,
      resolvConf: PLAIN,
      nsswitch: "hosts: files resolve [!UNAVAIL=return] dns\n",
    }),
    "systemd-resolved 192.0.2.53",
  );
  assert.equal(
    detect({ ...resolved, resolvConf: PLAIN, nsswitch: "hosts: files dns\n" }),
    "resolv-conf 10.0.0.1,10.0.0.2",
  );
});

Deno.test("what a dead session left in resolv.conf is looked through, and we are never our own upstream", () => {
  const left = insertResolvConfBlock(PLAIN, {
    id: "x",
    nameserver: OURS,
    search: [],
    searchBefore: [],
  });
  assert.equal(detect({ resolvConf: left }), "resolv-conf 10.0.0.1,10.0.0.2");
  assert.equal(
    detect({ resolvConf: `nameserver ${OURS}\n${PLAIN}` }),
    "resolv-conf 10.0.0.1,10.0.0.2",
  );
  assert.equal(
    detect({
      resolvConf: STUB,
      resolvedUpstreams: `nameserver ${OURS}\n${UPSTREAMS}`,
    }),
    "systemd-resolved 192.0.2.53",
  );
});

Deno.test("other systems have their own ways", () => {
  assert.equal(
    detect({ platform: "darwin", resolvConf: PLAIN }),
    "macos 10.0.0.1,10.0.0.2",
  );
  assert.equal(
    detect({ platform: "windows", windowsNameServers: [OURS, "10.0.0.1"] }),
    "windows 10.0.0.1",
  );
  assert.equal(
    detect({ platform: "freebsd", resolvConf: PLAIN }),
    "none 10.0.0.1,10.0.0.2",
  );
});

Deno.test("of Windows' name servers those of connected devices count, the preferred device's first", () => {
  const told = {
    interfaces: [
      { index: 4, metric: 50 },
      { index: 4, metric: 35 },
      { index: 9, metric: 25 },
      { index: 1, metric: 75 },
    ],
    servers: [
      { index: 4, addresses: ["192.168.1.1", "8.8.8.8"] },
      { index: 4, addresses: ["fe80::1", "fe80::2%4", "fd00::53"] },
      { index: 9, addresses: "10.8.0.1" },
      { index: 7, addresses: ["172.16.0.1"] },
      { index: 1, addresses: ["fec0:0:0:ffff::1", "fec0:0:0:ffff::2"] },
      { index: 1, addresses: ["", "8.8.8.8"] },
    ],
  };
  assert.deepEqual(readWindowsNameServers(told), [
    "10.8.0.1",
    "192.168.1.1",
    "8.8.8.8",
    "fe80::2%4",
    "fd00::53",
  ]);
  const interfaces = { index: 4, metric: 35 };
  const servers = { index: 4, addresses: ["10.0.0.1"] };
  assert.deepEqual(readWindowsNameServers({ interfaces, servers }), [
    "10.0.0.1",
  ]);
  assert.deepEqual(readWindowsNameServers(null), []);
});

Deno.test("a Service has a line for each address, with its short name in the session's namespace alone", () => {
  const services = [
    { name: "web", namespace: "default", addresses: ["10.96.0.1", "fd00::1"] },
    { name: "db", namespace: "prod", addresses: ["10.96.0.2"] },
    { name: "none", namespace: "prod", addresses: ["None"] },
  ];
  assert.deepEqual(
    serviceHosts(services, {
      clusterDomain: "cluster.local",
      namespace: "default",
    }).map(({ address, names }) => `${address} ${names.join(" ")}`),
    [
      "10.96.0.1 web web.default web.default.svc.cluster.local",
      "fd00::1 web web.default web.default.svc.cluster.local",
      "10.96.0.2 db.prod db.prod.svc.cluster.local",
    ],
  );
});
