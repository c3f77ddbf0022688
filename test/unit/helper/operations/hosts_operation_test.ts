import assert from "node:assert/strict";
import fc from "fast-check";
import {
  appendHostsBlock,
  removeHostsBlock,
} from "../../../../src/helper/operations/hosts_block.ts";
import { hostsOperation } from "../../../../src/helper/operations/hosts_operation.ts";
import { hostsPath } from "../../../../src/helper/operations/hosts_path.ts";
import { writeInPlace } from "../../../../src/helper/operations/replace_file.ts";
import { TemporaryMachine } from "../temporary_machine.ts";

const BEFORE = "127.0.0.1 localhost\n# mine\n";
const WEB = {
  entries: [{ address: "10.96.0.1", names: ["web", "web.default"] }],
};
const DB = { entries: [{ address: "10.96.0.2", names: ["db.prod"] }] };

function apply(it: TemporaryMachine, args: typeof WEB) {
  return hostsOperation.apply(args, it.scope, () => {});
}

Deno.test("the hosts file has our lines behind those of before, and loses them again", async () => {
  await using it = new TemporaryMachine();
  it.write("hosts", BEFORE);
  await apply(it, WEB);
  assert.match(
    it.read("hosts") ?? "",
    /^127\.0\.0\.1 localhost\n# mine\n# ktctl begin [a-z]{8}\n10\.96\.0\.1 web web\.default # ktctl\n# ktctl end\n$/,
  );
  await it.scope.dispose();
  assert.equal(it.read("hosts"), BEFORE);
});

Deno.test("our lines can be taken out of any hosts file, and every byte is as before", () => {
  const file = fc.array(
    fc.constantFrom(
      "127.0.0.1 localhost\n",
      "\n",
      "no end",
      "\r\n",
      "10.0.0.1 theirs # ktctl\n",
    ),
    { maxLength: 6 },
  ).map((parts) => parts.join(""));
  fc.assert(fc.property(file, (before) => {
    const text = appendHostsBlock(before, { id: "x", entries: WEB.entries });
    assert.deepEqual(removeHostsBlock(text), { id: "x", before });
  }));
});

Deno.test("lines that others write meanwhile stay, around ours and between them", () => {
  const text = appendHostsBlock("first", { id: "x", entries: WEB.entries });
  const edited = "1.1.1.1 above\n" +
    text.replace("# ktctl end", "2.2.2.2 between\n# ktctl end") +
    "3.3.3.3 below\n";
  assert.equal(
    removeHostsBlock(edited)?.before,
    "1.1.1.1 above\nfirst\n2.2.2.2 between\n3.3.3.3 below\n",
  );
});

Deno.test("applied again, it replaces our lines, and the end of the first changes nothing", async () => {
  await using it = new TemporaryMachine();
  it.write("hosts", BEFORE);
  const first = it.scope.child("first");
  await hostsOperation.apply(WEB, first, () => {});
  await apply(it, DB);
  await first.dispose();
  const text = it.read("hosts") ?? "";
  assert.match(text, /10\.96\.0\.2 db\.prod/);
  assert.doesNotMatch(text, /10\.96\.0\.1/);
  await it.scope.dispose();
  assert.equal(it.read("hosts"), BEFORE);
});

Deno.test("the lines of another user's helper stay, whoever ends first", async () => {
  await using it = new TemporaryMachine();
  const theirs = appendHostsBlock(BEFORE, { id: "theirs", ...DB });
  it.write("hosts", theirs);
  const first = it.scope.child("first");
  await hostsOperation.apply(WEB, first, () => {});
  await apply(it, WEB);
  const both = it.read("hosts") ?? "";
  assert.match(both, /10\.96\.0\.2 db\.prod/);
  assert.equal(both.match(/10\.96\.0\.1/g)?.length, 1);
  await first.dispose();
  await it.scope.dispose();
  assert.equal(it.read("hosts"), theirs);
});

Deno.test("after a kill, the journal alone restores the hosts file, and it holds no names", async () => {
  await using it = new TemporaryMachine();
  it.write("hosts", BEFORE);
  await apply(it, WEB);
  assert.doesNotMatch(JSON.stringify(it.journal.records), /web/);
  await it.sweep(hostsOperation);
  assert.equal(it.read("hosts"), BEFORE);
});

Deno.test("our lines are found though an editor of Windows gave them other ends", () => {
  const before = "127.0.0.1 localhost\r\n";
  const block = appendHostsBlock(before, { id: "abc", ...WEB });
  const changed = block.replaceAll(/\r?\n/g, "\r\n");
  assert.deepEqual(removeHostsBlock(changed), { id: "abc", before });
  assert.deepEqual(removeHostsBlock(`${changed}# more\r\n`), {
    id: "abc",
    before: `${before}# more\r\n`,
  });
});

Deno.test("the hosts file is where the system has it", () => {
  assert.equal(hostsPath("/x", "linux"), "/x/etc/hosts");
  assert.match(
    hostsPath("", "windows"),
    /^[A-Z]:\\\w+\\System32\\drivers\\etc\\hosts$/,
  );
});

Deno.test("a file that is written in place has its content, longer or shorter, and stays the same file", async () => {
  await using it = new TemporaryMachine();
  const path = it.path("hosts");
  for (const text of ["new\n", "longer than that\n", "\xff\n", ""]) {
    writeInPlace(path, text);
    assert.equal(it.read("hosts"), text);
  }
  const { ino } = Deno.statSync(path);
  writeInPlace(path, BEFORE);
  assert.equal(Deno.statSync(path).ino, ino);
});
