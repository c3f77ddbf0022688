import assert from "node:assert/strict";
import {
  helperCommand,
  sudoCommand,
} from "../../../src/helper/helper_command.ts";

const CHECKOUT = {
  execPath: "/usr/bin/deno",
  mainModule: "file:///home/u/my%20ktctl/main.ts",
  isStandalone: false,
  denoDir: "/home/u/.cache/deno",
};

Deno.test("from a checkout the helper uses the user's cache of modules, and the network never", () => {
  const { argv, env } = helperCommand(CHECKOUT);
  assert.deepEqual(argv, [
    "/usr/bin/deno",
    "run",
    "-A",
    "--quiet",
    "--cached-only",
    "--no-code-cache",
    "--frozen",
    "/home/u/my ktctl/main.ts",
    "__helper",
  ]);
  assert.deepEqual(env, {
    DENO_NO_UPDATE_CHECK: "1",
    DENO_DIR: "/home/u/.cache/deno",
  });
});

for (
  const mainModule of [
    "file:///home/u/.cache/ktctl/portable/x/ktctl.js",
    "https://example.com/ktctl.js",
    "https://example.com/main.ts",
  ]
) {
  Deno.test(`root fetches nothing and reads no file of the user's for ${mainModule}`, () => {
    const text = "export const runHelper = () => 0;";
    const { argv, env, stdin } = helperCommand(
      { ...CHECKOUT, mainModule },
      text,
    );
    const [program, verb, ...args] = argv;
    assert.deepEqual([program, verb], ["/usr/bin/deno", "eval"]);
    for (
      const flag of ["--no-config", "--no-lock", "--no-remote", "--no-npm"]
    ) {
      assert.ok(args.includes(flag), flag);
    }
    assert.doesNotMatch(argv.join(" "), /example\.com|home/);
    assert.equal(env.DENO_DIR, "/dev/null/deno");
    assert.equal(new TextDecoder().decode(stdin), text);
  });
}

Deno.test("a compiled ktctl starts its own file, which a rule of sudoers can name", () => {
  const command = helperCommand({
    ...CHECKOUT,
    execPath: "/usr/local/bin/ktctl",
    isStandalone: true,
  });
  assert.deepEqual(command, {
    argv: ["/usr/local/bin/ktctl", "__helper"],
    env: {},
  });
  assert.deepEqual(
    sudoCommand(command, { purpose: "for 100%", canAsk: false }),
    ["sudo", "-n", "--", "/usr/local/bin/ktctl", "__helper"],
  );
});

Deno.test("sudo asks with a sentence on a line of its own, and sets what is needed behind its reset", () => {
  const words = sudoCommand({ argv: ["/bin/x"], env: { A: "b c" } }, {
    purpose: "to use 100% of it",
    canAsk: true,
  });
  assert.deepEqual(words, [
    "sudo",
    "-p",
    "\nktctl needs root to use 100%% of it. Password of %p: ",
    "--",
    "/usr/bin/env",
    "A=b c",
    "/bin/x",
  ]);
});

Deno.test("on Windows, where the helper is the same user, a bundle has the user's cache too", () => {
  const { argv, env } = helperCommand(
    {
      ...CHECKOUT,
      mainModule: "file:///home/u/ktctl.js",
    },
    "",
    "windows",
  );
  assert.ok(argv.includes("--no-remote"));
  assert.equal(env.DENO_DIR, "/home/u/.cache/deno");
});
