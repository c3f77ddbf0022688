import assert from "node:assert/strict";
import { exec, type ExecOptions } from "../../../src/core/exec.ts";
import { PermissionError } from "../../../src/core/errors.ts";
import {
  openHelperJournal,
  prepareHelperFolder,
  removeHelperFolder,
} from "../../../src/helper/helper_folder.ts";
import { TemporaryFolder } from "./helper_pair.ts";

Deno.test("on Windows the folder of the journals is made by one script, and none that is somebody else's is used", async () => {
  const folder = "C:\\ProgramData\\ktctl";
  let code = 0;
  const asked: unknown[] = [];
  const machine = {
    exec: (
      _command: string,
      _args: readonly string[],
      options?: ExecOptions,
    ) => {
      asked.push(JSON.parse(String(options?.stdin)));
      const stderr = "It is somebody else's: It is somebody else's\r\n";
      return Promise.resolve({ code, stdout: "", stderr });
    },
  };
  await prepareHelperFolder(folder, machine, "windows");
  assert.deepEqual(asked, [{ folder }]);
  code = 1;
  await assert.rejects(
    prepareHelperFolder(folder, machine, "windows"),
    (error) => {
      assert.ok(error instanceof PermissionError);
      assert.equal(error.code, "JOURNAL_UNWRITABLE");
      assert.match(error.message, /somebody else's/);
      return true;
    },
  );
});

Deno.test("a folder that another helper takes away as it ends is made anew for the journal", async () => {
  using folder = new TemporaryFolder();
  await prepareHelperFolder(folder.path, { exec });
  removeHelperFolder(folder.path);
  const journal = await openHelperJournal(folder.path, { exec });
  assert.equal(folder.journals.length, 1);
  assert.equal(Deno.statSync(folder.path).mode! & 0o777, 0o755);
  removeHelperFolder(folder.path);
  assert.equal(folder.journals.length, 1);
  journal.remove();
  journal.close();
});

Deno.test("a helper starts while others end, one after the other", async () => {
  const script = 'while :; do rmdir "$0/ktctl" 2>/dev/null; done';
  const parent = Deno.makeTempDirSync();
  const child = new Deno.Command("sh", { args: ["-c", script, parent] })
    .spawn();
  try {
    for (let start = 0; start < 2000; start++) {
      await prepareHelperFolder(`${parent}/ktctl`, { exec });
      removeHelperFolder(`${parent}/ktctl`);
    }
  } finally {
    child.kill();
    await child.status;
    Deno.removeSync(parent, { recursive: true });
  }
});

Deno.test("a link in the folder's place is neither used nor removed", async () => {
  using folder = new TemporaryFolder();
  const target = Deno.makeTempDirSync();
  Deno.symlinkSync(target, folder.path);
  const refused = { code: "JOURNAL_UNWRITABLE" };
  await assert.rejects(prepareHelperFolder(folder.path, { exec }), refused);
  removeHelperFolder(folder.path);
  assert.ok(Deno.lstatSync(folder.path).isSymlink);
  Deno.removeSync(target);
});

Deno.test("on Windows the folder stays, lest another user makes it", () => {
  using folder = new TemporaryFolder();
  Deno.mkdirSync(folder.path);
  removeHelperFolder(folder.path, "windows");
  assert.ok(Deno.statSync(folder.path).isDirectory);
});
