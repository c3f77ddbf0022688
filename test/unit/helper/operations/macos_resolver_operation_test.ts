import assert from "node:assert/strict";
import { macosResolverOperation } from "../../../../src/helper/operations/macos_resolver_operation.ts";
import { TemporaryMachine } from "../temporary_machine.ts";

const ARGS = {
  nameserver: "127.0.0.1",
  port: 10053,
  domains: ["cluster.local", "svc", "dev"],
};

Deno.test("each domain has a file in /etc/resolver, and the folder goes with the last", async () => {
  await using it = new TemporaryMachine();
  const apply = macosResolverOperation.apply(ARGS, it.scope, () => {});
  assert.deepEqual(await apply, { skipped: [] });
  assert.match(
    it.read("resolver/svc") ?? "",
    /^# ktctl [a-z]{8}\nnameserver 127\.0\.0\.1\nport 10053\n/,
  );
  await it.sweep(macosResolverOperation);
  assert.deepEqual([...Deno.readDirSync(`${it.machine.root}/etc`)], []);
});

Deno.test("a file of somebody else is left alone and told", async () => {
  await using it = new TemporaryMachine();
  Deno.mkdirSync(it.path("resolver"));
  it.write("resolver/dev", "nameserver 127.0.0.1\nport 5353\n");
  const apply = macosResolverOperation.apply(ARGS, it.scope, () => {});
  assert.deepEqual(await apply, { skipped: ["dev"] });
  await it.scope.dispose();
  assert.equal(it.read("resolver/dev"), "nameserver 127.0.0.1\nport 5353\n");
  assert.equal(it.read("resolver/svc"), undefined);
});
