import assert from "node:assert/strict";
import { symlink } from "node:fs/promises";
import { TempFolder } from "../unit/kube/temp_folder.ts";
import { denoDir } from "../deno_dir.ts";
import { NetworkNamespace } from "./network_namespace.ts";

/** Deno asks half a second after its start; so long a plugin keeps ktctl waiting. */
const RUN_SECONDS = 3;

/** The names that a run of ktctl asked for, none of which its kubeconfig has. */
async function namesAsked(start: readonly string[]): Promise<string[]> {
  await using space = await NetworkNamespace.create();
  await using folder = await TempFolder.make();
  const log = space.spawn("name_log.ts", {});
  const lines = log.stdout.pipeThrough(new TextDecoderStream()).getReader();
  assert.match((await lines.read()).value ?? "", /ready/);
  try {
    const resolv = await folder.write("resolv.conf", "nameserver 127.0.0.1\n");
    const kubeconfig = await folder.write("config", {
      "current-context": "a",
      clusters: [{ name: "a", cluster: { server: "https://127.0.0.1:1" } }],
      users: [{
        name: "a",
        user: { exec: { command: "sleep", args: [String(RUN_SECONDS)] } },
      }],
      contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
    });
    const { code, stderr } = await space.exec("unshare", [
      "--mount",
      "sh",
      "-c",
      `mount --bind "$0" /etc/resolv.conf && exec env -u DENO_NO_UPDATE_CHECK "$@"`,
      resolv,
      ...start,
      ...["recover", "web", "--kubeconfig", kubeconfig],
    ], { env: { DENO_DIR: await newsless(folder), HOME: folder.path } });
    assert.equal(code, 4, stderr); // the plugin gave nothing
  } finally {
    log.kill();
    await log.status;
  }
  let asked = "";
  for (;;) {
    const { value, done } = await lines.read();
    if (done) return [...new Set(asked.split("\n").filter((name) => name))];
    asked += value;
  }
}

/** Deno's cache, without what it knows of newer versions, so that it would ask. */
async function newsless(folder: TempFolder): Promise<string> {
  const cache = await denoDir();
  const copy = `${folder.path}/deno`;
  await Deno.mkdir(copy);
  for await (const { name } of Deno.readDir(cache)) {
    if (name === "latest.txt") continue;
    await symlink(`${cache}/${name}`, `${copy}/${name}`);
  }
  return copy;
}

Deno.test("the task ktctl does not let Deno ask for newer versions of itself, which it would", async () => {
  const deno = Deno.execPath();
  const plain = await namesAsked([deno, "run", "-A", "main.ts"]);
  assert.deepEqual(plain, ["dl.deno.land"]);
  assert.deepEqual(await namesAsked([deno, "task", "--quiet", "ktctl"]), []);
});
