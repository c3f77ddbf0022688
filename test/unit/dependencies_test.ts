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

/** The source files that each of them imports, types too. */
function importGraph(): Map<string, string[]> {
  const files = (folder: URL): URL[] =>
    [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
      isDirectory
        ? files(new URL(`${name}/`, folder))
        : name.endsWith(".ts")
        ? [new URL(name, folder)]
        : []
    );
  const specifiers = /(?:\bfrom|\bimport\()\s*"(\.[^"]+\.ts)"/g;
  return new Map(
    files(new URL("src/", ROOT)).map((file) => {
      const text = Deno.readTextFileSync(file);
      const targets = [...text.matchAll(specifiers)]
        .map(([, target]) => new URL(target!, file).href);
      return [file.href, targets];
    }),
  );
}

/** The files of one circle; empty where there is none. */
function findCircle(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const target of graph.get(file) ?? []) {
      const circle = walk(target, [...path, file]);
      if (circle.length > 0) return circle;
    }
    done.add(file);
    return [];
  };
  for (const file of graph.keys()) {
    const circle = walk(file, []);
    if (circle.length > 0) return circle;
  }
  return [];
}

Deno.test("no source files import each other in a circle, not even for types", () => {
  const circle = (graph: Record<string, string[]>) =>
    findCircle(new Map(Object.entries(graph)));
  assert.deepEqual(circle({ a: ["b"], b: ["c"], c: ["b"] }), ["b", "c", "b"]);
  assert.deepEqual(circle({ a: ["b", "c"], b: ["c"], c: [] }), []);
  const graph = importGraph();
  assert.ok(graph.size > 300);
  assert.deepEqual(findCircle(graph), []);
});

Deno.test("no folder of the sources has more than 25 files", () => {
  const counts = new Map<string, number>();
  for (const file of importGraph().keys()) {
    const folder = new URL("./", file).href.slice(ROOT.href.length);
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  assert.deepEqual([...counts].filter(([, count]) => count > 25), []);
});

Deno.test("no source file has more than 400 lines", () => {
  const long = [...importGraph().keys()].filter((file) =>
    Deno.readTextFileSync(new URL(file)).split("\n").length > 401
  );
  assert.deepEqual(long, []);
});
