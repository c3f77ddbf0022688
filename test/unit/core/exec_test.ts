import assert from "node:assert/strict";
import { exec } from "../../../src/core/exec.ts";

Deno.test("exec gives the exit code and both outputs, and passes standard input", async () => {
  const result = await exec("sh", ["-c", "cat; echo err >&2; exit 3"], {
    stdin: "in",
  });
  assert.deepEqual(result, { code: 3, stdout: "in", stderr: "err\n" });
});

Deno.test("exec survives a program that does not read its input", async () => {
  const { code } = await exec("sh", ["-c", "exec 0<&-; exit 0"], {
    stdin: "x".repeat(1 << 20),
  });
  assert.equal(code, 0);
});

Deno.test("exec names a command that is not there", async () => {
  await assert.rejects(exec("no-such-program", []), {
    code: "COMMAND_NOT_FOUND",
    message: 'Cannot find the command "no-such-program"',
  });
});

Deno.test("exec ends a program at its deadline and on cancellation", async () => {
  const started = performance.now();
  await assert.rejects(exec("sleep", ["30"], { timeoutMs: 100 }), {
    code: "COMMAND_TIMEOUT",
  });
  await assert.rejects(
    exec("sleep", ["30"], { signal: AbortSignal.timeout(100) }),
    {
      code: "CANCELLED",
    },
  );
  assert.ok(performance.now() - started < 5000);
});
