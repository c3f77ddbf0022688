import assert from "node:assert/strict";
import { parseResolvConf } from "../../../../src/link/dns/parse_resolv_conf.ts";
import { resolvConfOperation } from "../../../../src/helper/operations/resolv_conf_operation.ts";
import { TemporaryMachine } from "../temporary_machine.ts";

const ARGS = {
  nameserver: "127.0.0.153",
  search: ["default.svc.cluster.local"],
};
const BEFORE = "# mine\nsearch corp.example\nnameserver 10.0.0.1";

function apply(it: TemporaryMachine) {
  return resolvConfOperation.apply(ARGS, it.scope, () => {});
}

Deno.test("resolv.conf names our server, and is as before at the end: bytes, mode and owner", async () => {
  await using it = new TemporaryMachine();
  it.write("resolv.conf", BEFORE);
  Deno.chmodSync(it.path("resolv.conf"), 0o604);
  const before = Deno.statSync(it.path("resolv.conf"));
  await apply(it);
  assert.deepEqual(parseResolvConf(it.read("resolv.conf") ?? ""), {
    nameservers: ["127.0.0.153"],
    search: ["default.svc.cluster.local", "corp.example"],
    ndots: 1,
  });
  assert.equal(Deno.statSync(it.path("resolv.conf")).mode, before.mode);
  await it.scope.dispose();
  assert.equal(it.read("resolv.conf"), BEFORE);
  const after = Deno.statSync(it.path("resolv.conf"));
  assert.deepEqual(
    [after.mode, after.uid, after.gid],
    [before.mode, before.uid, before.gid],
  );
  assert.deepEqual([...Deno.readDirSync(`${it.machine.root}/etc`)].length, 1);
});

Deno.test("a resolv.conf that is a link stays one", async () => {
  await using it = new TemporaryMachine();
  it.write("real.conf", BEFORE);
  Deno.symlinkSync("real.conf", it.path("resolv.conf"));
  await apply(it);
  assert.equal(Deno.readLinkSync(it.path("resolv.conf")), "real.conf");
  assert.match(it.read("real.conf") ?? "", /127\.0\.0\.153/);
  await it.scope.dispose();
  assert.equal(Deno.readLinkSync(it.path("resolv.conf")), "real.conf");
  assert.equal(it.read("real.conf"), BEFORE);
});

Deno.test("a resolv.conf that was not there is not there again, an empty one is empty again", async () => {
  await using it = new TemporaryMachine();
  await apply(it);
  assert.match(it.read("resolv.conf") ?? "", /127\.0\.0\.153/);
  await it.scope.dispose();
  assert.equal(it.read("resolv.conf"), undefined);
  await using other = new TemporaryMachine();
  other.write("resolv.conf", "");
  await apply(other);
  await other.scope.dispose();
  assert.equal(other.read("resolv.conf"), "");
});

Deno.test("a resolv.conf that somebody wrote anew meanwhile is left alone", async () => {
  await using it = new TemporaryMachine();
  it.write("resolv.conf", BEFORE);
  await apply(it);
  it.write("resolv.conf", "nameserver 192.0.2.9\n");
  await it.scope.dispose();
  assert.equal(it.read("resolv.conf"), "nameserver 192.0.2.9\n");
});

Deno.test("after a kill, the journal alone restores resolv.conf; doing it twice does no harm", async () => {
  await using it = new TemporaryMachine();
  it.write("resolv.conf", BEFORE);
  await apply(it);
  await it.sweep(resolvConfOperation);
  assert.equal(it.read("resolv.conf"), BEFORE);
  await it.sweep(resolvConfOperation);
  assert.equal(it.read("resolv.conf"), BEFORE);
});

Deno.test("after a reboot without a journal, the next session restores what was before the first", async () => {
  await using it = new TemporaryMachine();
  it.write("resolv.conf", BEFORE);
  await apply(it);
  await using next = new TemporaryMachine();
  next.write("resolv.conf", it.read("resolv.conf") ?? "");
  await apply(next);
  await next.scope.dispose();
  assert.equal(next.read("resolv.conf"), BEFORE);
});

Deno.test("the end of an earlier session does not undo the later one", async () => {
  await using it = new TemporaryMachine();
  it.write("resolv.conf", BEFORE);
  await apply(it);
  const first = it.journal.records.length;
  await apply(it);
  it.journal.records.splice(first);
  await it.sweep(resolvConfOperation); // the first one's change alone
  assert.match(it.read("resolv.conf") ?? "", /127\.0\.0\.153/);
  await it.scope.dispose();
  assert.equal(it.read("resolv.conf"), BEFORE);
});

Deno.test("the command for undoing by hand does", async () => {
  await using it = new TemporaryMachine();
  it.write("resolv.conf", BEFORE + "\n");
  await apply(it);
  const [left] = it.scope.leftovers();
  const command = left?.undoCommand.replace("sudo ", "")
    .replace("/etc/resolv.conf", it.path("resolv.conf")) ?? "";
  const { code } = await it.machine.exec("sh", ["-c", command]);
  assert.equal(code, 0);
  assert.equal(it.read("resolv.conf"), BEFORE + "\n");
});

Deno.test("a resolv.conf that cannot be written is an error that says so", async () => {
  await using it = new TemporaryMachine();
  Deno.symlinkSync("nowhere/resolv.conf", it.path("resolv.conf"));
  await assert.rejects(apply(it), { code: "FILE_NOT_WRITTEN" });
});

Deno.test("who rewrites resolv.conf meanwhile gets our lines in front, and back at the end", async () => {
  for (const replace of [false, true]) {
    await using it = new TemporaryMachine();
    it.write("resolv.conf", BEFORE);
    const event = Promise.withResolvers<unknown>();
    await resolvConfOperation.apply(ARGS, it.scope, event.resolve);
    if (replace) {
      it.write("new.conf", "nameserver 192.0.2.9\n");
      Deno.renameSync(it.path("new.conf"), it.path("resolv.conf"));
    } else it.write("resolv.conf", "nameserver 192.0.2.9\n");
    assert.deepEqual(await event.promise, {
      type: "resolv-conf",
      nameservers: ["192.0.2.9"],
      kept: true,
    });
    assert.match(it.read("resolv.conf") ?? "", /^nameserver 127\.0\.0\.153$/m);
    await it.scope.dispose();
    assert.equal(it.read("resolv.conf"), "nameserver 192.0.2.9\n");
  }
});

Deno.test("who rewrites resolv.conf again and again is let have it", async () => {
  await using it = new TemporaryMachine();
  it.write("resolv.conf", BEFORE);
  const theirs = "nameserver 192.0.2.9\n";
  const given = Promise.withResolvers<number>();
  let events = 0;
  await resolvConfOperation.apply(ARGS, it.scope, (event) => {
    events++;
    if (!(event as { kept: boolean }).kept) given.resolve(events);
    else it.write("resolv.conf", theirs);
  });
  it.write("resolv.conf", theirs);
  assert.equal(await given.promise, 6);
  assert.equal(it.read("resolv.conf"), theirs);
});
