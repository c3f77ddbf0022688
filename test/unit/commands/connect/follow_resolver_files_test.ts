import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { followResolverFiles } from "../../../../src/commands/connect/follow_resolver_files.ts";
import { TempFolder } from "../../kube/temp_folder.ts";

/** Follows the files until the end of the test; `changed` is when they were written. */
function follow(files: readonly string[]) {
  const ending = new AbortController();
  const changes = new EventTarget();
  const blind: unknown[] = [];
  let count = 0;
  const followed = followResolverFiles({
    files,
    signal: ending.signal,
    onChange: () => {
      count++;
      changes.dispatchEvent(new Event("change"));
    },
    onBlind: (error) => blind.push(error),
  });
  return {
    blind,
    followed,
    get count() {
      return count;
    },
    changed: () => once(changes, "change"),
    async [Symbol.asyncDispose]() {
      ending.abort();
      await followed;
    },
  };
}

Deno.test("each of the resolver's files is followed, by its link too; one that is nowhere is left out", async () => {
  await using folder = await TempFolder.make();
  await mkdir(`${folder.path}/etc`);
  await mkdir(`${folder.path}/run`);
  const own = await folder.write("run/resolv.conf", "nameserver 192.0.2.1");
  const linked = `${folder.path}/etc/resolv.conf`;
  await symlink("../run/stub-resolv.conf", linked);
  await folder.write("run/stub-resolv.conf", "nameserver 127.0.0.53");
  const nowhere = `${folder.path}/none/resolv.conf`;
  await using it = follow([linked, own, nowhere]);
  assert.equal(it.count, 1);
  for (const file of [own, linked]) {
    const changed = it.changed();
    await writeFile(file, "nameserver 192.0.2.2");
    await changed;
  }
  assert.deepEqual(it.blind, []);
});

Deno.test("what cannot be watched is told of, and ends nothing else", async () => {
  await using folder = await TempFolder.make();
  const file = await folder.write("resolv.conf", "nameserver 192.0.2.1");
  await using it = follow([`${file}/resolv.conf/resolv.conf`, file]);
  const changed = it.changed();
  await writeFile(file, "nameserver 192.0.2.2");
  await changed;
  assert.match(String(it.blind), /ENOTDIR/);
});
