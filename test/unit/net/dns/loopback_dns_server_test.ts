import assert from "node:assert/strict";
import { askServer } from "../../../../src/link/dns/ask_server.ts";
import { DnsServer } from "../../../../src/net/dns/dns_server.ts";
import {
  listenOnLoopback,
  type LoopbackDnsServer,
} from "../../../../src/net/dns/loopback_dns_server.ts";
import { a, query, read, response } from "./packets.ts";

const answer = (asked: Uint8Array) =>
  Promise.resolve(response(asked, [a("x.test", "10.0.0.1")]));

async function ask(host: string, { port }: LoopbackDnsServer) {
  return read(await askServer(query("x.test"), { host, port })).records.length;
}

Deno.test("a name server for redirected queries answers at the same port of both families", async () => {
  await using server = await listenOnLoopback({
    port: 0,
    answer,
    alsoIpv6: true,
  });
  for (const host of ["127.0.0.1", "::1"]) {
    assert.equal(await ask(host, server), 1, host);
  }
});

Deno.test("a name server that nobody redirects to leaves IPv6 alone", async () => {
  await using other = await DnsServer.listen({ host: "::1", port: 0, answer });
  const { port } = other;
  await assert.rejects(listenOnLoopback({ port, answer, alsoIpv6: true }), {
    code: "DNS_PORT_TAKEN",
  });
  // what was open of the first attempt is closed
  await using server = await listenOnLoopback({
    port,
    answer,
    alsoIpv6: false,
  });
  assert.equal(await ask("127.0.0.1", server), 1);
});
