// What becomes of a session in the background where something fails before it is ready. By real processes.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { TempFolder } from "../../kube/temp_folder.ts";

const HERE = fileURLToPath(new URL("background_here.ts", import.meta.url));

async function start(folder: string, mode: string) {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", HERE, folder, mode],
    stderr: "inherit",
    signal: AbortSignal.timeout(60_000),
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("a process in the background that dies without a reason is told with its last lines, and where all of them are", async () => {
  await using folder = await TempFolder.make();
  const { code, message, details, hint } = await start(folder.path, "dies");
  assert.equal(code, "BACKGROUND_DIED");
  assert.match(message, /with exit code 3, /);
  assert.equal(details.length, 20);
  assert.equal(details.at(-1), "line 99");
  assert.match(hint, /logs.*\.jsonl"/);
});

for (const mode of ["hangs", "unwatched"]) {
  Deno.test({
    name:
      `a start that fails ends the process in the background, and waits for it (${mode})`,
    ignore: Deno.build.os === "windows", // it has no SIGTERM
    async fn() {
      await using folder = await TempFolder.make();
      const { message, events } = await start(folder.path, mode);
      assert.equal(message, "cannot be told");
      assert.equal(events.length, 1, "what it told was seen");
      assert(existsSync(`${folder.path}/terminated`));
    },
  });
}
