import assert from "node:assert/strict";
import { ConflictError } from "../../src/core/errors.ts";
import {
  probeTunOperation,
  tunRoutesOperation,
} from "../../src/helper/operations/tun_operations.ts";
import { addBridge, addGuest, addStranger } from "./neighbours.ts";
import type { NetworkNamespace } from "./network_namespace.ts";
import { obstacleWithout } from "./packages.ts";
import { TunLab, UID } from "./tun_lab.ts";
import { PORT } from "./tun_ports.ts";

const obstacle = await obstacleWithout({
  ip: "iproute2",
  iptables: "iptables",
  nft: "nftables",
  ping: "iputils-ping",
  python3: "python3",
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

test("tun: from a checkout it works as well, and for root", async () => {
  await using lab = await TunLab.create();
  await using client = await lab.rootClient(await lab.open());
  assert.equal(
    await lab.app("transfer", "10.96.0.1", PORT.echo, 5 * MIB),
    "same",
  );
  assert.equal((await client.counters()).connections, 0);
});

test("tun: a stream that only one side ends gets its answer, as a hash of all", async () => {
  await using lab = await TunLab.create();
  await using client = await lab.client(await lab.open());
  for (const host of ["10.96.0.1", "fd96::1", "10.96.0.2", "fd96::2"]) {
    assert.equal(
      await lab.app("transfer", host, PORT.hash, 3 * MIB),
      "hash same",
    );
    assert.equal((await client.counters()).connections, 0);
  }
  // the last are closed a moment after their connection
  const deadline = performance.now() + 5_000;
  let open: string[];
  do open = await connectionsOf(lab); while (
    open.length > 0 && performance.now() < deadline
  );
  assert.deepEqual(open, []);
});

/** Of all processes; a listener is none. */
async function connectionsOf(lab: TunLab): Promise<string[]> {
  const sockets = await lab.space.run("ss", "-Htanp");
  return sockets.split("\n").filter((line) =>
    line.includes("users:") && !line.startsWith("LISTEN")
  );
}

test("tun: refused is ECONNREFUSED and unreachable EHOSTUNREACH, at once", async () => {
  await using lab = await TunLab.create();
  await using _client = await lab.client(await lab.open());
  for (const host of ["10.96.0.1", "fd96::1"]) {
    const connect = (port: number) => lab.app("connect", host, port);
    assert.equal(await connect(PORT.refused), "ECONNREFUSED fast", host);
    assert.equal(await connect(PORT.unreachable), "EHOSTUNREACH fast", host);
    assert.equal(await connect(PORT.echo), "connected fast", host);
  }
});

test("tun: a connection is accepted when the cluster has, and dialled once meanwhile", async () => {
  await using lab = await TunLab.create();
  await using client = await lab.client(await lab.open());
  assert.equal(
    await lab.app("connect", "10.96.0.1", PORT.slow),
    "connected slow",
  );
  const { events } = await client.counters();
  assert.deepEqual(events, [`dial 10.96.0.1 ${PORT.slow}`]);
});

test("tun: resets pass both ways", async () => {
  await using lab = await TunLab.create();
  await using client = await lab.client(await lab.open());
  assert.equal(await lab.app("end", "10.96.0.1", PORT.reset), "ECONNRESET");
  assert.equal(await lab.app("reset", "fd96::1", PORT.watch), "reset");
  const { events } = await client.counters();
  assert.match(events.join("\n"), /ECONNRESET|reset by peer/);
  assert.equal(events.at(-1), "close");
});

test("tun: 500 connections at once, and 500 more", async () => {
  await using lab = await TunLab.create();
  await using client = await lab.client(await lab.open());
  for (let i = 0; i < 2; i++) {
    assert.equal(await lab.app("many", "10.96.0.1", PORT.echo, 500), "500");
  }
  assert.equal((await client.counters()).connections, 0);
});

test("tun: UDP goes both ways, in pieces as well, and is refused where nobody listens", async () => {
  await using lab = await TunLab.create();
  await using client = await lab.client(await lab.open());
  for (const host of ["10.96.0.1", "fd96::1"]) {
    const udp = (port: number, data: string | number) =>
      lab.app("udp", host, port, data);
    assert.equal(await udp(5353, "hello"), `${host} 5353 hello`);
    assert.equal(await udp(5353, 1400), "same", host);
    assert.equal(await udp(5353, 60_000), "same", host);
  }
  assert.equal((await client.counters()).datagramFlows, 6);
  // Deno does not tell the error of a datagram
  const script = `
import errno, socket
for family, host in ((socket.AF_INET, "10.96.0.1"), (socket.AF_INET6, "fd96::1")):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.settimeout(3)
    s.connect((host, ${PORT.refused}))
    s.send(b"hello")
    try: print(s.recv(100))
    except OSError as e: print(errno.errorcode.get(e.errno, e))
`;
  const outcome = await lab.space.run("python3", "-c", script);
  assert.equal(outcome, "ECONNREFUSED\nECONNREFUSED\n");
});

test("tun: ping is answered for what the cluster reaches, and for nothing else", async () => {
  await using lab = await TunLab.create();
  const { ipv4, ipv6, ...opened } = await lab.open();
  await using _client = await lab.client({ ...opened, ipv4, ipv6: ipv6! });
  const ping = async (host: string) => {
    const args = ["-n", "-c", "2", "-i", "0.2", "-W", "2", "-s", "1000", host];
    const { stdout } = await lab.space.exec("ping", args);
    return stdout;
  };
  for (const host of ["10.96.0.1", "fd96::1", ipv4.peer, ipv6!.peer]) {
    assert.match(await ping(host), / 2 received/, host);
  }
  assert.match(await ping("10.96.0.9"), /Destination Host Unreachable/);
  assert.match(await ping("fd96::9"), /Destination unreachable: Address/);
});

test("tun: other protocols are refused, not lost", async () => {
  await using lab = await TunLab.create();
  await using _client = await lab.client(await lab.open());
  const script = `
import errno, socket, sys
for family, host in ((socket.AF_INET, "10.96.0.1"), (socket.AF_INET6, "fd96::1")):
    s = socket.socket(family, socket.SOCK_RAW, 253)
    s.settimeout(3)
    s.setsockopt(*((socket.IPPROTO_IP, 11, 1) if family == socket.AF_INET else (41, 25, 1)))
    s.connect((host, 0))
    s.send(b"x" * 20)
    try: print(s.recv(100))
    except OSError as e: print(errno.errorcode.get(e.errno, e))
`;
  const { stdout, stderr } = await lab.space.exec("python3", ["-c", script]);
  assert.equal(stdout.trim(), "ENOPROTOOPT\nEPROTO", stderr);
});

test("tun: the listener takes nothing that did not come through the device", async () => {
  await using lab = await TunLab.create();
  const opened = await lab.open();
  await using _client = await lab.client(opened);
  const { local, peer } = opened.ipv4;
  const sockets = await lab.space.run("ss", "-Hltn", "src", local);
  const port = sockets.match(new RegExp(`${local}:(\\d+)`))![1]!;
  // the reset comes before or after the first byte was written
  assert.match(await lab.app("end", local, port), /^(ECONNRESET|EPIPE)$/);
  assert.match(await lab.app("connect", peer, 80), /ECONNREFUSED/);
});

test("tun: when the client ends, connections are reset and the device goes on being there", async () => {
  await using lab = await TunLab.create();
  const opened = await lab.open();
  const client = await lab.client(opened);
  const ended = lab.app("hold", "10.96.0.1", PORT.echo);
  while ((await client.counters()).connections === 0);
  await client[Symbol.asyncDispose]();
  assert.equal(await ended, "open\nECONNRESET");
  await using again = await lab.client(opened);
  assert.equal(await lab.app("connect", "10.96.0.1", 7), "connected fast");
  assert.equal((await again.counters()).connections, 0);
});

test("tun: a firewall that is in the way is found at once, and nothing hangs", async () => {
  await using lab = await TunLab.create();
  const opened = await lab.open();
  const rule = (...words: string[]) => lab.space.run("nft", ...words);
  await rule("add", "table", "inet", "wall");
  await rule(
    ..."add chain inet wall in".split(" "),
    "{ type filter hook input priority 0; policy drop; }",
  );
  for (const known of ["ct state established,related", "iif lo"]) {
    await rule("add", "rule", "inet", "wall", "in", `${known} accept`);
  }
  await assert.rejects(lab.client(opened), /TUN_FIREWALLED/);
});

test("tun: a device of somebody else's, or one in use, is refused by name", async () => {
  await using lab = await TunLab.create();
  const others = await lab.open({ uid: UID + 1 });
  await assert.rejects(lab.client(others), /TUN_NOT_ALLOWED/);
  const opened = await lab.open({ cidrs: ["10.244.0.0/16"] });
  assert.notDeepEqual(opened.ipv4, others.ipv4);
  await using _client = await lab.client(opened);
  await assert.rejects(lab.client(opened), /TUN_IN_USE/);
});

test("tun: a device that is taken away is told", async () => {
  await using lab = await TunLab.create();
  const opened = await lab.open();
  await using client = await lab.client(opened);
  await lab.space.run("ip", "link", "delete", "dev", opened.device);
  assert.equal(await client.line(), "lost TUN_LOST");
});

test("tun: after kill -9 the journal alone puts everything back byte by byte, twice", async () => {
  await using lab = await TunLab.create();
  const before = await lab.network();
  const client = await lab.client(await lab.open());
  assert.notEqual(await lab.network(), before);
  await client.kill();
  await lab.sweep();
  assert.equal(await lab.network(), before);
  await lab.sweep();
  assert.equal(await lab.network(), before);
});

test("tun: a device of the same name that is somebody else's stays", async () => {
  await using lab = await TunLab.create();
  await lab.space.batch([
    "tuntap add dev ktctl0 mode tun",
    "link set dev ktctl0 alias ktctl:other",
  ]);
  const { device } = await lab.open();
  assert.equal(device, "ktctl1");
  await lab.space.run("ip", "link", "delete", "dev", device);
  await lab.space.batch([
    `tuntap add dev ${device} mode tun`,
    `link set dev ${device} alias ktctl:other`,
  ]);
  const before = await lab.network();
  await lab.sweep();
  assert.equal(await lab.network(), before);
});

test("tun: a route that is there already is a conflict, of which nothing is left", async () => {
  await using lab = await TunLab.create();
  await lab.space.batch(["route add 10.96.0.0/12 dev out"]);
  const before = await lab.network();
  await assert.rejects(lab.open(), { code: "ROUTE_TAKEN" });
  await lab.scope.dispose();
  assert.equal(await lab.network(), before);
});

test("tun: hundreds of routes, of which others are made while it is open", async () => {
  await using lab = await TunLab.create();
  const before = await lab.network();
  const cidrs = Array.from(
    { length: 600 },
    (_, i) =>
      i % 3 === 2 ? `fd96::${i}:0/112` : `10.${i >> 4}.${(i & 15) * 8}.0/24`,
  );
  const { device } = await lab.open({ cidrs });
  const routes = async () => {
    const lists = await Promise.all(
      ["-4", "-6"].map((family) =>
        lab.space.run("ip", family, "route", "show", "dev", device)
      ),
    );
    return lists.join("").split("\n").filter((line) =>
      line !== "" && !line.includes("proto kernel")
    );
  };
  assert.equal((await routes()).length, 600);
  const change = (session: string, cidrs: string[]) =>
    tunRoutesOperation.apply({ session, device, cidrs }, lab.scope, none);
  await change("lab", [...cidrs.slice(0, 300), "172.30.0.0/16", "127.0.0.0/8"]);
  assert.equal((await routes()).length, 301);
  const clash = await lab.space.run("ip", "route", "show", "198.18.0.0/24");
  assert.match(clash, /dev out/);
  const taken = await routes();
  await lab.space.batch(["route add 172.31.0.0/16 dev out"]);
  await assert.rejects(
    change("lab", ["172.29.0.0/16", "172.31.0.0/16"]),
    /Cannot route "172.31.0.0\/16" to the cluster/,
  );
  assert.deepEqual((await routes()).sort(), taken.sort());
  await assert.rejects(change("other", []), ConflictError);
  await lab.space.batch(["route del 172.31.0.0/16 dev out"]);
  await lab.scope.dispose();
  assert.equal(await lab.network(), before);
});

test("tun: without IPv6 on the machine the device has none", async () => {
  await using lab = await TunLab.create();
  await lab.space.exec("sysctl", ["-w", "net.ipv6.conf.all.disable_ipv6=1"]);
  const opened = await lab.open();
  assert.equal(opened.ipv6, undefined);
  await using _client = await lab.client(opened);
  assert.equal(await lab.app("connect", "10.96.0.1", 7), "connected fast");
});

test("tun: the probe finds a device possible and changes nothing", async () => {
  await using lab = await TunLab.create();
  const before = await lab.network();
  assert.deepEqual(await probeTunOperation.apply({}, lab.scope, none), {});
  assert.equal(await lab.network(), before);
});

test("tun: containers get in, with an address of their own or this machine's; strangers do not, however they ask", async () => {
  await using lab = await TunLab.create();
  await addBridge(lab.space);
  await using guest = await addGuest(lab.space);
  await using stranger = await addStranger(lab.space);
  await using client = await lab.client(await lab.open());
  const asks = async (from: NetworkNamespace, host: string) => {
    const { stdout: ping } = await from.exec(
      "ping",
      ["-n", "-c", "1", "-W", "2", host],
    );
    return {
      tcp: await lab.appIn(from, "connect", host, PORT.echo),
      udp: await lab.appIn(from, "udp", host, 5353, "hello"),
      ping: / 1 received/.test(ping),
    };
  };
  for (const host of ["10.96.0.1", "fd96::1"]) {
    assert.deepEqual(await asks(guest, host), {
      tcp: "connected fast",
      udp: `${host} 5353 hello`,
      ping: true,
    });
    assert.deepEqual(await asks(stranger, host), {
      tcp: "EHOSTUNREACH fast",
      udp: "no answer",
      ping: false,
    });
  }
  const masquerade = ["POSTROUTING", "-s", "198.19.0.0/24", "-j", "MASQUERADE"];
  await lab.space.run("iptables", "-t", "nat", "-A", ...masquerade);
  const { tcp } = await asks(guest, "10.96.0.1");
  assert.equal(tcp, "connected fast");
  const { strangers } = await client.counters();
  assert.deepEqual(strangers, ["203.0.113.2"]);
});
