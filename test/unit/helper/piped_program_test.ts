import assert from "node:assert/strict";
import { exec } from "../../../src/core/exec.ts";
import { helperCommand } from "../../../src/helper/helper_command.ts";

const PROGRAM = `export async function runHelper() {
  const rest = await new Response(Deno.stdin.readable).text();
  console.log(JSON.stringify({ rest, args: Deno.args.length, é: 1 }));
  return 3;
}`;
const { argv, env, stdin } = helperCommand({
  execPath: Deno.execPath(),
  mainModule: "https://example.com/ktctl.js",
  isStandalone: false,
  denoDir: undefined,
}, PROGRAM);
const [deno = "", ...args] = argv;

/** Runs it where a project of somebody else's lies. */
async function fed(bytes: Uint8Array, rest = "") {
  const cwd = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${cwd}/deno.json`, `{ "preload": ["./x.ts"] }`);
    await Deno.writeTextFile(`${cwd}/package.json`, "{");
    await Deno.writeTextFile(`${cwd}/x.ts`, `console.log("preloaded");`);
    const input = new Uint8Array([...bytes, ...new TextEncoder().encode(rest)]);
    return await exec(deno, args, { env, cwd, stdin: input });
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

Deno.test("the program runs as it was sent, and what comes behind it is its own input", async () => {
  const { code, stdout, stderr } = await fed(stdin!, "a\nb\n");
  assert.deepEqual({ code, stderr }, { code: 3, stderr: "" });
  assert.equal(stdout, `{"rest":"a\\nb\\n","args":3,"é":1}\n`);
});

Deno.test("one that was changed on its way does not run", async () => {
  const other = new TextEncoder().encode(
    PROGRAM.replace("return 3", "return 0"),
  );
  assert.equal(other.length, stdin!.length);
  const { code, stdout, stderr } = await fed(other);
  assert.deepEqual({ code, stdout }, { code: 70, stdout: "" });
  assert.match(stderr, /was changed on its way/);
});

Deno.test("a part of one does not run", async () => {
  const { code, stdout } = await fed(stdin!.subarray(0, -1));
  assert.deepEqual({ code, stdout }, { code: 70, stdout: "" });
});
