import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import config from "../../deno.json" with { type: "json" };

const root = fileURLToPath(new URL("../../", import.meta.url));

Deno.test("the portable file runs with nothing installed, and unpacks once", async () => {
  const folder = await Deno.makeTempDir();
  const file = `${folder}/ktctl`;
  const ktctl = async (...args: string[]) => {
    const { code, stdout, stderr } = await new Deno.Command(file, {
      args,
      clearEnv: true,
      env: { HOME: folder, PATH: "/usr/bin:/bin" },
    }).output();
    const decoder = new TextDecoder();
    return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
  };
  try {
    const made = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "scripts/compile.ts", "--portable", file],
      cwd: root,
    }).output();
    assert.equal(made.code, 0, new TextDecoder().decode(made.stderr));
    assert.equal((await ktctl("--version")).text, `${config.version}\n`);
    const cache = `${folder}/.cache/ktctl/portable`;
    const [home] = [...Deno.readDirSync(cache)].map(({ name }) => name);
    const unpackedAt = (await Deno.stat(`${cache}/${home}/deno`)).mtime;
    assert.match((await ktctl("--help")).text, /exchange .*<service>/);
    const { code, text } = await ktctl("exchange", "web");
    assert.equal(code, 2);
    assert.match(text, /Missing --expose/);
    assert.deepEqual(
      (await Deno.stat(`${cache}/${home}/deno`)).mtime,
      unpackedAt,
    );
    await Deno.remove(`${cache}/${home}/deno`);
    assert.equal((await ktctl("--version")).code, 0, "unpacks what is missing");
    assert.deepEqual([...Deno.readDirSync(cache)].map(({ name }) => name), [
      home,
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
