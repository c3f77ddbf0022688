import assert from "node:assert/strict";
import { capturedServers } from "../../../../src/net/dns/captured_servers.ts";

const upstreams = [{ host: "192.0.2.1" }];

Deno.test("new name servers are captured beside those that running programs still ask", () => {
  const first = capturedServers(["10.0.0.2", "fd00::2"], { upstreams });
  assert.deepEqual(first, ["10.0.0.2", "fd00::2"]);
  assert.deepEqual(
    capturedServers(["192.0.2.1", "10.0.0.2"], { upstreams }, first),
    ["192.0.2.1", "10.0.0.2", "fd00::2"],
  );
});

Deno.test("what a name server on this machine may ask does not come back to us", () => {
  for (const host of ["127.0.0.1", "::1"]) {
    const upstreams = [{ host }];
    const before = ["192.0.2.1"];
    assert.deepEqual(capturedServers([host], { upstreams }, before), [host]);
  }
});

Deno.test("of many networks the latest name servers are captured", () => {
  let servers: string[] = [];
  for (let n = 1; n <= 50; n++) {
    servers = capturedServers([`192.0.2.${n}`], { upstreams }, servers);
  }
  assert.equal(servers.length, 32);
  assert.deepEqual(servers.slice(0, 2), ["192.0.2.50", "192.0.2.49"]);
});
