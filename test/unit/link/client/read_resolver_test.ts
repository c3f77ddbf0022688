import assert from "node:assert/strict";
import fc from "fast-check";
import { LinkError } from "../../../../src/core/errors.ts";
import { parseResolvConf } from "../../../../src/link/dns/parse_resolv_conf.ts";
import { PassThrough } from "node:stream";
import { readResolver } from "../../../../src/link/client/read_resolver.ts";
import { broken } from "../../cluster/broken.ts";

const conf = parseResolvConf(
  "search shop.svc.cluster.local svc.cluster.local cluster.local home_lan\nnameserver 10.96.0.10\nnameserver fe80::1%eth0\noptions ndots:5\n",
);

function read(value: unknown) {
  const stream = new PassThrough();
  stream.end(JSON.stringify(value));
  return readResolver(stream, 5_000);
}

Deno.test("an agent's resolver reads as it was told", async () => {
  assert.deepEqual(await read(conf), conf);
});

Deno.test("of an agent's resolver no line of a file and no name of another kind is taken", async () => {
  const search = ["a\nnameserver 1.2.3.4", "..", "/etc", "A", "", "ok.example"];
  const nameservers = ["1.2.3.4\noptions", "example.com", "10.0.0.1"];
  assert.deepEqual(
    await read({ ...conf, search, nameservers }),
    { ...conf, search: ["ok.example"], nameservers: ["10.0.0.1"] },
  );
});

Deno.test("whatever an agent tells of its resolver, it is read or refused", async () => {
  await fc.assert(fc.asyncProperty(broken(conf), async (value) => {
    try {
      const { search, ndots } = await read(value);
      assert.ok(search.every((domain) => !/\s/.test(domain)));
      assert.ok(ndots >= 0 && ndots <= 15);
    } catch (error) {
      assert.ok(error instanceof LinkError, String(error));
    }
  }));
});

Deno.test("an agent that does not tell, or without end, is given up", async () => {
  const refused = (code: string) => (error: unknown) =>
    error instanceof LinkError && error.code === code;
  await assert.rejects(
    readResolver(new PassThrough(), 20),
    refused("AGENT_ANSWER"),
  );
  const endless = new PassThrough();
  endless.write("x".repeat(70_000));
  await assert.rejects(
    readResolver(endless, 5_000),
    refused("ANSWER_TOO_LONG"),
  );
});
