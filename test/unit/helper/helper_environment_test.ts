import assert from "node:assert/strict";

const SCRIPT = new URL(
  "../../../src/helper/helper_environment.ts",
  import.meta.url,
).href;

/** What the helper's own programs see, by what it was given. */
async function after(env: Record<string, string>) {
  const code =
    `const { clearEnvironment } = await import("${SCRIPT}"); clearEnvironment();
    console.log(JSON.stringify(Deno.env.toObject()))`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-lock", code],
    clearEnv: true,
    env: {
      HOME: Deno.env.get("HOME") ?? "/",
      DENO_DIR: "/dev/null/deno",
      ...env,
    },
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("behind sudo the user chooses neither root's programs nor anything else", async () => {
  const seen = await after({
    SUDO_UID: "1000",
    PATH: "/home/u/bin:/usr/bin",
    KUBECONFIG: "/home/u/.kube/config",
    AWS_SECRET_ACCESS_KEY: "secret",
    LD_PRELOAD: "",
    LANG: "de_DE.UTF-8",
  });
  assert.deepEqual(Object.keys(seen).sort(), ["DENO_DIR", "LC_ALL", "PATH"]);
  assert.doesNotMatch(seen.PATH, /home/);
  assert.equal(seen.LC_ALL, "C");
});

Deno.test("root's own PATH is root's to choose", async () => {
  const seen = await after({ PATH: "/opt/nft/bin:/usr/bin", KUBECONFIG: "x" });
  assert.equal(seen.PATH, "/opt/nft/bin:/usr/bin");
  assert.equal(seen.KUBECONFIG, undefined);
});
