import assert from "node:assert/strict";
import type { ExecOptions } from "../../../src/core/exec.ts";
import { PermissionError } from "../../../src/core/errors.ts";
import { prepareHelperFolder } from "../../../src/helper/helper_folder.ts";

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
