import assert from "node:assert/strict";
import config from "../../deno.json" with { type: "json" };

const ROOT = new URL("../../", import.meta.url);

function sources(folder: URL): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    if (isDirectory) return sources(new URL(`${name}/`, folder));
    return name.endsWith(".ts")
      ? [Deno.readTextFileSync(new URL(name, folder))]
      : [];
  });
}

Deno.test("every dependency is imported somewhere, or describes one that is", () => {
  const text = ["src/", "scripts/", "test/", "bench/"]
    .flatMap((folder) => sources(new URL(folder, ROOT))).join("\n");
  const names = Object.keys(config.imports);
  // its own modules too: `@kubernetes/client-node/dist/exec_auth.js`
  const isImported = (name: string) =>
    text.includes(`"${name}"`) || text.includes(`"${name}/`);
  const described = names.map((name) => `@types/${name}`);
  const unused = names.filter((name) =>
    !isImported(name) && !described.includes(name)
  );
  assert.deepEqual(unused, []);
});

// ssh2 and cpu-features would compile native add-ons, which ktctl does without; unless they are
// refused here, Deno warns everybody who starts from a checkout, in yellow, several times
Deno.test("every build script of a dependency is refused, so that Deno does not warn of it", () => {
  const lock: { npm: Record<string, { scripts?: boolean }> } = JSON.parse(
    Deno.readTextFileSync(new URL("deno.lock", ROOT)),
  );
  const withScripts = Object.entries(lock.npm)
    .filter(([, { scripts }]) => scripts)
    .map(([id]) => `npm:${id.replace(/(?<=.)@.*$/, "")}`);
  assert.deepEqual(withScripts, config.allowScripts.deny);
});
