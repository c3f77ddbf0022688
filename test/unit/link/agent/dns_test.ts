// The pod's resolvers, asked through the real agent.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { a, read, response } from "../../net/dns/packets.ts";
import { AgentProcess, freePorts } from "./agent_process.ts";
import {
  dnsQuery,
  type DnsServer,
  dnsServer,
  readResponse,
} from "./dns_server.ts";
import { udpPeer } from "./udp_peer.ts";

/** An agent in a pod with these name servers. */
async function agentWith(
  ...nameservers: string[]
): Promise<AsyncDisposable & { agent: AgentProcess }> {
  const dir = await mkdtemp(`${tmpdir()}/ktctl-resolv-`);
  const resolvConfFile = `${dir}/resolv.conf`;
  const lines = nameservers.map((one) => `nameserver ${one}\n`);
  const rest =
    "search shop.svc.cluster.local svc.cluster.local\noptions ndots:5 edns0\n";
  await writeFile(resolvConfFile, lines.join("") + rest);
  const agent = await AgentProcess.start({ ports: [], resolvConfFile });
  return {
    agent,
    async [Symbol.asyncDispose]() {
      await agent[Symbol.asyncDispose]();
      await rm(dir, { recursive: true });
    },
  };
}

const zone = (name: string) =>
  name.startsWith("host")
    ? { addresses: [`10.0.0.${name.slice(4)}`] }
    : { code: 3 };

Deno.test("the pod's resolv.conf is told", async () => {
  await using pod = await agentWith("10.96.0.10", "fd00::a");
  await using link = await pod.agent.link();
  assert.deepEqual(await link.resolver(), {
    nameservers: ["10.96.0.10", "fd00::a"],
    search: ["shop.svc.cluster.local", "svc.cluster.local"],
    ndots: 5,
  });
});

Deno.test("hundreds of questions at once get their own answers, with their own ids", async () => {
  await using server = await dnsServer(zone);
  await using pod = await agentWith(server.nameserver);
  await using link = await pod.agent.link();
  const began = performance.now();
  const asked = Array.from({ length: 300 }, async (_, i) => {
    const id = 7 + (i % 3); // many askers, same ids
    const name = `host${i % 250}`;
    const { id: answeredId, code, addresses } = readResponse(
      await link.resolve(dnsQuery(id, name)),
    );
    assert.deepEqual([answeredId, code, addresses], [id, 0, [
      `10.0.0.${i % 250}`,
    ]]);
  });
  await Promise.all(asked);
  // each once, and once more for each second that it was not answered
  const seconds = Math.floor((performance.now() - began) / 1000);
  const { length } = server.questions;
  assert.ok(length >= 300 && length <= 300 * (1 + seconds), `${length}`);
});

Deno.test("a name that does not exist stays one", async () => {
  await using server = await dnsServer(zone);
  await using pod = await agentWith(server.nameserver);
  await using link = await pod.agent.link();
  const answer = await link.resolve(dnsQuery(1, "nobody.example"));
  assert.deepEqual(readResponse(answer), { id: 1, code: 3, addresses: [] });
});

Deno.test("a stranger's answer is not taken for the name server's", async () => {
  await using stranger = await udpPeer();
  await using server = await udpPeer((asked, reply, from) => {
    const forged = response(asked, [a("host1", "203.0.113.1")]);
    stranger.socket.send(
      forged,
      from.port,
      from.address,
      () => reply(response(asked, [a("host1", "10.0.0.1")])),
    );
  });
  await using pod = await agentWith(`[127.0.0.1]:${server.port}`);
  await using link = await pod.agent.link();
  const answer = read(await link.resolve(dnsQuery(1, "host1")));
  assert.deepEqual(answer.records, ["host1 A 10.0.0.1"]);
});

Deno.test("an answer that is too long for UDP comes whole, by TCP", async () => {
  const addresses = Array.from({ length: 100 }, (_, i) => `10.1.0.${i}`);
  await using server = await dnsServer(() => ({ addresses }));
  await using pod = await agentWith(server.nameserver);
  await using link = await pod.agent.link();
  const answer = readResponse(await link.resolve(dnsQuery(65_535, "many")));
  assert.deepEqual(answer, { id: 65_535, code: 0, addresses });
  assert.deepEqual(server.questions.map(({ over }) => over), ["udp", "tcp"]);
});

for (
  const [title, broken] of [
    ["is silent", "silence"],
    ["fails", { code: 2 }],
    ["refuses", { code: 5 }],
  ] as const
) {
  Deno.test(`where the first name server ${title} the next one answers`, async () => {
    await using bad = await dnsServer(() => broken);
    await using good = await dnsServer(zone);
    await using pod = await agentWith(bad.nameserver, good.nameserver);
    await using link = await pod.agent.link();
    const answer = readResponse(await link.resolve(dnsQuery(5, "host9")));
    assert.deepEqual(answer, { id: 5, code: 0, addresses: ["10.0.0.9"] });
    assert.ok(bad.questions.length >= 1);
  });
}

Deno.test("SERVFAIL is the answer where no name server answers", async () => {
  const [port] = await freePorts(1) as [number];
  await using pod = await agentWith(`[127.0.0.1]:${port}`);
  await using link = await pod.agent.link();
  const answer = readResponse(await link.resolve(dnsQuery(5, "host9")));
  assert.deepEqual(answer, { id: 5, code: 2, addresses: [] });
});

Deno.test("a question given up does not disturb the next", async () => {
  let isMute = true;
  await using server: DnsServer = await dnsServer((name) =>
    isMute ? "silence" : zone(name)
  );
  await using pod = await agentWith(server.nameserver);
  await using link = await pod.agent.link();
  const stop = new AbortController();
  const givenUp = link.resolve(dnsQuery(1, "host1"), { signal: stop.signal });
  stop.abort();
  await assert.rejects(givenUp, { code: "CANCELLED" });
  isMute = false;
  const answer = readResponse(await link.resolve(dnsQuery(1, "host2")));
  assert.deepEqual(answer.addresses, ["10.0.0.2"]);
});

Deno.test("what is no DNS message is refused here", async () => {
  await using pod = await agentWith("10.96.0.10");
  await using link = await pod.agent.link();
  for (const length of [0, 11, 65_536]) {
    await assert.rejects(link.resolve(new Uint8Array(length)), {
      code: "DNS_QUERY_INVALID",
    });
  }
});

Deno.test("a lost link ends the questions", async () => {
  await using server = await dnsServer(() => "silence");
  await using pod = await agentWith(server.nameserver);
  const link = await pod.agent.link();
  const asked = link.resolve(dnsQuery(1, "host1"));
  await link.resolver();
  pod.agent.process.kill("SIGKILL");
  await assert.rejects(asked, { code: "LINK_LOST" });
  await link.close();
});

Deno.test("a host that lives is reachable, one that nothing leads to is not", async () => {
  await using pod = await agentWith("10.96.0.10");
  await using link = await pod.agent.link();
  assert.equal(await link.isReachable("127.0.0.1"), true);
  assert.equal(await link.isReachable("::1"), true);
  assert.equal(await link.isReachable("nothing.invalid"), false);
  // RFC 1112: class E, to which Linux sends nothing
  const since = performance.now();
  assert.equal(await link.isReachable("255.255.255.255"), false);
  assert.ok(performance.now() - since < 3000);
});
