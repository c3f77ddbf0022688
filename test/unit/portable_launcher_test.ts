// The script in front of a portable ktctl, with a program in place of Deno.
import assert from "node:assert/strict";
import { portableLauncher } from "../../scripts/portable_launcher.ts";
import { exec, spawn } from "../../src/core/exec.ts";

const DENO = `#!/bin/sh
[ "$1" = --version ] && exit 0
echo "ran $6"
`;
/** Nobody's here. */
const BUILDER = 54_321;

class Portable implements AsyncDisposable {
  private constructor(readonly folder: string) {}

  static async make(deno = DENO): Promise<Portable> {
    const folder = await Deno.makeTempDir({ prefix: "ktctl ü " });
    await Deno.writeTextFile(`${folder}/deno`, deno, { mode: 0o755 });
    await Deno.writeTextFile(`${folder}/ktctl.js`, "");
    const archive = `${folder}/archive`;
    const owner = [`--owner=${BUILDER}`, `--group=${BUILDER}`];
    const { code, stderr } = await exec("tar", [
      ...["-C", folder, "-czf", archive, ...owner, "ktctl.js", "deno"],
    ]);
    assert.equal(code, 0, stderr);
    const file = `${folder}/ktctl`;
    await Deno.writeTextFile(file, portableLauncher("digest"), { mode: 0o755 });
    const bytes = await Deno.readFile(archive);
    await Deno.writeFile(file, bytes, { append: true });
    return new Portable(folder);
  }

  async run(env: Record<string, string>) {
    const variables = Object.entries(env).map((one) => one.join("="));
    return await exec("/usr/bin/env", [
      ...["-i", "PATH=/usr/bin:/bin", ...variables, `${this.folder}/ktctl`],
    ]);
  }

  /** What is unpacked, or was begun to be, below that place for caches. */
  unpacked(cache = `${this.folder}/.cache`): string[] {
    const names = (path: string) =>
      [...Deno.readDirSync(path)].map(({ name }) => name).toSorted();
    const folder = `${cache}/ktctl/portable`;
    return names(folder).flatMap((
      home,
    ) => [
      home,
      ...names(`${folder}/${home}`).map((name) => `${home}/${name}`),
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

const WHOLE = ["digest", "digest/deno", "digest/ktctl.js"];

Deno.test("a portable file unpacks below HOME or XDG_CACHE_HOME, and says where neither is set", async () => {
  await using portable = await Portable.make();
  const { folder } = portable;
  const homeless = await portable.run({});
  assert.equal(homeless.code, 3);
  assert.match(
    homeless.stderr,
    /^Cannot start ktctl: .* HOME, which is not set\n.* XDG_CACHE_HOME, .*\n$/,
  );
  const { stdout, stderr } = await portable.run({ HOME: folder });
  assert.equal(
    stdout,
    `ran ${folder}/.cache/ktctl/portable/digest/ktctl.js\n`,
    stderr,
  );
  assert.deepEqual(portable.unpacked(), WHOLE);
  const named = `${folder}/named`;
  assert.equal((await portable.run({ XDG_CACHE_HOME: named })).code, 0);
  assert.deepEqual(portable.unpacked(named), WHOLE);
});

Deno.test("a portable file that cannot unpack itself says where, and how to go on", async () => {
  await using portable = await Portable.make();
  const cache = `${portable.folder}/deno`; // no folder
  const { code, stderr } = await portable.run({ XDG_CACHE_HOME: cache });
  assert.equal(code, 3);
  const lines = stderr.trim().split("\n");
  assert.equal(
    lines.at(-2),
    `Cannot start ktctl: it cannot unpack itself into ${cache}/ktctl/portable`,
  );
  assert.match(lines.at(-1)!, /XDG_CACHE_HOME/);
});

Deno.test("a portable file whose Deno does not run here says so, and leaves nothing unpacked", async () => {
  await using portable = await Portable.make("#!/nonexistent/interpreter\n");
  const { code, stderr } = await portable.run({ HOME: portable.folder });
  assert.equal(code, 3);
  assert.match(stderr, /^Cannot start ktctl: the Deno .* does not run in /m);
  assert.match(stderr, /^It was made for another system, or /m);
  assert.deepEqual(portable.unpacked(), ["digest"]);
});

Deno.test("what root unpacks is root's, and not of who packed it", {
  ignore: Deno.uid() !== 0,
}, async () => {
  await using portable = await Portable.make();
  const { folder } = portable;
  assert.equal((await portable.run({ HOME: folder })).code, 0);
  for (const name of WHOLE) {
    const { uid, gid } = Deno.statSync(
      `${folder}/.cache/ktctl/portable/${name}`,
    );
    assert.deepEqual([uid, gid], [0, 0], name);
  }
});

Deno.test("Ctrl-C while a portable file unpacks leaves nothing behind", async () => {
  await using portable = await Portable.make();
  const { folder } = portable;
  await Deno.mkdir(`${folder}/bin`);
  await Deno.writeTextFile(
    `${folder}/bin/tar`,
    "#!/bin/sh\necho begun\nexec sleep 60\n",
    { mode: 0o755 },
  );
  const child = spawn(`${folder}/ktctl`, {
    clearEnv: true,
    env: { HOME: folder, PATH: `${folder}/bin:/usr/bin:/bin` },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
    detached: true, // a group of its own, as a shell gives it
  });
  const reader = child.stdout.getReader();
  assert.match(new TextDecoder().decode((await reader.read()).value), /begun/);
  await exec("/bin/kill", ["-INT", "--", `-${child.pid}`]);
  assert.equal((await child.status).code, 130);
  await reader.cancel();
  assert.deepEqual(portable.unpacked(), ["digest"]);
});
