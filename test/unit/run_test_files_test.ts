import assert from "node:assert/strict";
import { runTestFiles } from "../../scripts/run_test_files.ts";

for (const output of ["null", "inherit"]) {
  Deno.test({
    name:
      `a program that a test leaves running (its output: ${output}), as a test cluster's servers are, keeps no run of tests from ending`,
    ignore: Deno.build.os === "windows",
    async fn() {
      const folder = await Deno.makeTempDir({ prefix: "ktctl-run-" });
      let pid = 0;
      try {
        const file = `${folder}/leaves_a_program_test.ts`;
        await Deno.writeTextFile(
          file,
          `Deno.test("leaves one", () => {
          const child = new Deno.Command("sleep", {
            args: ["600"], stdin: "null", stdout: "${output}", stderr: "${output}",
          }).spawn();
          child.unref();
          Deno.writeTextFileSync(${
            JSON.stringify(`${folder}/pid`)
          }, String(child.pid));
        });`,
        );
        const run = runTestFiles([file], {
          ...{ form: "source", title: "one that leaves a program running" },
          ...{ isShown: false, reports: folder },
        });
        let timer: ReturnType<typeof setTimeout> | undefined;
        const late = new Promise<never>((_, reject) => {
          timer = setTimeout(() => reject(new Error("it did not end")), 20_000);
        });
        const { counts } = await Promise.race([run, late]).finally(async () => {
          clearTimeout(timer);
          pid = Number(await Deno.readTextFile(`${folder}/pid`));
          Deno.kill(pid, "SIGKILL"); // lets a run that waits for it end
          await run;
        });
        assert.equal(counts.passed, 1);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

Deno.test({
  name:
    "a test file that does not end is killed with what it started, and has failed",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "ktctl-run-" });
    try {
      const file = `${folder}/does_not_end_test.ts`;
      const pidFile = JSON.stringify(`${folder}/pid`);
      await Deno.writeTextFile(
        file,
        `Deno.test("does not end", async () => {
          const child = new Deno.Command("sleep", { args: ["600"] }).spawn();
          Deno.writeTextFileSync(${pidFile}, String(child.pid));
          await child.status;
        });`,
      );
      const { counts, failed, times } = await runTestFiles([file], {
        ...{ form: "source", title: "one that does not end" },
        ...{ isShown: false, reports: folder, timeoutMs: 6_000 },
      });
      assert.deepEqual(counts, { passed: 0, failed: 1, skipped: 0 });
      assert.match(times[0]!.title, /did not end within 0.1 min/);
      assert.deepEqual(failed.map(({ file }) => file), [file]);
      // that it could be read says that the test ran
      const pid = Number(await Deno.readTextFile(`${folder}/pid`));
      await new Deno.Command("tail", {
        args: [`--pid=${pid}`, "-f", "/dev/null"],
        signal: AbortSignal.timeout(20_000),
      }).output();
      assert.throws(() => Deno.kill(pid, "SIGKILL"));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
