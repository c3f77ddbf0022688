// What becomes of a session in the background where something fails before it is ready. By real processes.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { TempFolder } from "../../kube/temp_folder.ts";

const MAIN = fileURLToPath(new URL("../../../../main.ts", import.meta.url));
const HERE = fileURLToPath(new URL("background_here.ts", import.meta.url));

async function output(...args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
  return new TextDecoder().decode(stdout);
}

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

Deno.test({
  name:
    "what there is to say of settings is said once, not by the process in the background as well",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await TempFolder.make();
    const { path } = folder;
    Deno.mkdirSync(`${path}/.kt`);
    Deno.writeTextFileSync(
      `${path}/.kt/config`,
      "global:\n  namespace: shop\n",
    );
    const line = ["exchange", "web", "--expose", "80", "--background", "-d"];
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", MAIN, ...line],
      cwd: path,
      env: {
        HOME: path,
        XDG_CONFIG_HOME: `${path}/config`,
        XDG_DATA_HOME: `${path}/data`,
        XDG_STATE_HOME: `${path}/state`,
        DENO_DIR: JSON.parse(await output("info", "--json")).denoDir,
        KUBECONFIG: `${path}/none`,
        NO_COLOR: "1",
      },
      signal: AbortSignal.timeout(60_000),
    }).output();
    const told = new TextDecoder().decode(stderr);
    assert.equal(code, 2, told);
    assert.equal(told.split("of the original ktctl is used").length, 2, told);
    assert.equal(told.split("global.namespace: original").length, 2, told);
    assert.equal(told.split("Cannot find the kubeconfig").length, 2, told);
  },
});
