import assert from "node:assert/strict";
import fc from "fast-check";
import { UnsupportedError } from "../../../src/core/errors.ts";
import type { ExecOptions, ExecResult } from "../../../src/core/exec.ts";
import type { Json } from "../../../src/core/json.ts";
import {
  powershellArguments,
  runPowershell,
} from "../../../src/net/run_powershell.ts";

const work = { purpose: "do this", script: "Get-This $ask.name" };

function answering(answer: Partial<ExecResult>) {
  const seen: (ExecOptions | undefined)[] = [];
  const words: string[] = [];
  const machine = {
    exec: (
      _command: string,
      args: readonly string[],
      options?: ExecOptions,
    ) => {
      seen.push(options);
      words.push(...args);
      return Promise.resolve({ code: 0, stdout: "", stderr: "", ...answer });
    },
  };
  return { machine, seen, words };
}

Deno.test("values go to PowerShell by its standard input, as ASCII, and never in the script", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary" }), async (name) => {
      const { machine, seen, words } = answering({});
      await runPowershell(machine, { ...work, input: { name } });
      const stdin = seen[0]?.stdin as string;
      assert.match(stdin, /^[\x20-\x7e]*\n$/);
      assert.deepEqual(JSON.parse(stdin), { name });
      assert.deepEqual(words, powershellArguments(work.script));
    }),
    { numRuns: 30 },
  );
});

Deno.test("runPowershell() gives back what the script told, and null for nothing", async () => {
  const told = async (stdout: string): Promise<Json> =>
    await runPowershell(answering({ stdout }).machine, work);
  assert.deepEqual(await told('{"a":[1]}\r\n'), { a: [1] });
  assert.equal(await told("\r\n"), null);
});

Deno.test("what PowerShell says of a failure is told, without its final period", async () => {
  const stderr =
    "\r\nWindows System Error 87,New-NetRoute: The parameter is incorrect.\r\n";
  await assert.rejects(
    runPowershell(answering({ code: 1, stderr }).machine, work),
    (error) => {
      assert.ok(error instanceof UnsupportedError);
      assert.equal(error.code, "POWERSHELL_FAILED");
      assert.equal(
        error.message,
        'Cannot do this: Windows PowerShell says "Windows System Error 87,New-NetRoute: The parameter is incorrect"',
      );
      return true;
    },
  );
  await assert.rejects(
    runPowershell(answering({ code: 5 }).machine, work),
    /exit code 5/,
  );
});
