import assert from "node:assert/strict";
import { appendHostsBlock } from "../../../../src/helper/operations/hosts_block.ts";
import { hostsOperation } from "../../../../src/helper/operations/hosts_operation.ts";
import {
  leftLines,
  removeLeftLines,
} from "../../../../src/helper/operations/left_lines.ts";
import { resolvConfOperation } from "../../../../src/helper/operations/resolv_conf_operation.ts";
import { TemporaryMachine } from "../temporary_machine.ts";

const RESOLV_CONF = "nameserver 192.0.2.1\nsearch corp.example";
const HOSTS = "127.0.0.1 localhost\n";

Deno.test("what a power cut left in files is found and taken out, without a journal", async () => {
  await using it = new TemporaryMachine();
  const { root } = it.machine;
  it.write("resolv.conf", RESOLV_CONF);
  it.write("hosts", HOSTS);
  assert.deepEqual(leftLines(root), []);
  const nothing = () => {};
  const nameserver = "127.0.0.153";
  await resolvConfOperation.apply(
    { nameserver, search: [] },
    it.scope,
    nothing,
  );
  const entries = [{ address: "10.96.0.1", names: ["web"] }];
  await hostsOperation.apply({ entries }, it.scope, nothing);
  // of another user's helper
  const first = it.read("hosts") ?? "";
  it.write("hosts", appendHostsBlock(first, { id: "theirs", entries }));
  assert.deepEqual(leftLines(root), ["/etc/resolv.conf", "/etc/hosts"]);
  assert.deepEqual(removeLeftLines(root), [
    "lines of ktctl in /etc/resolv.conf",
    "lines of ktctl in /etc/hosts",
  ]);
  assert.equal(it.read("resolv.conf"), RESOLV_CONF);
  assert.equal(it.read("hosts"), HOSTS);
  assert.deepEqual(removeLeftLines(root), []);
});
