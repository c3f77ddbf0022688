// Tests, files and settings that the texts for people name are there.
import assert from "node:assert/strict";
import { needsTrust } from "../../src/commands/settings/needs_trust.ts";

const ROOT = new URL("../../", import.meta.url);

/** All files of the project, below its folder. */
function files(folder = ""): string[] {
  return [...Deno.readDirSync(new URL(`./${folder}`, ROOT))].flatMap(
    ({ name, isDirectory }) => {
      if (/^(\.git|dist|node_modules)$/.test(name)) return [];
      return isDirectory ? files(`${folder}${name}/`) : [`${folder}${name}`];
    },
  );
}

const ALL = files();
const NAMES = new Set(ALL.map((path) => path.split("/").at(-1)!));
const PATHS = new Set(ALL.flatMap((path) => {
  const parts = path.split("/");
  return parts.map((_, at) => parts.slice(0, at + 1).join("/"));
}));
/** Those whose code is of this project. The changelog tells of what was. */
const TEXTS = ALL.filter((path) =>
  path.endsWith(".md") && !/^(CHANGELOG|docs\/plugin-authors)/.test(path)
);

/** What stands in backquotes. */
async function quoted(path: string): Promise<string[]> {
  const text = await Deno.readTextFile(new URL(path, ROOT));
  return [...text.matchAll(/`([^`\n]+)`/g)].map(([, word = ""]) => word);
}

for (const path of TEXTS) {
  Deno.test(`the tests, files and folders that ${path} names are there`, async () => {
    for (const word of await quoted(path)) {
      if (/^[a-z0-9_]+_test$/.test(word)) {
        assert.ok(NAMES.has(`${word}.ts`), word);
      } else if (/^[a-z0-9_]+\.(ts|sh)$/.test(word)) {
        assert.ok(NAMES.has(word), word);
      } else if (/^(src|test|scripts|docs)(\/[\w.-]+)+$/.test(word)) {
        assert.ok(PATHS.has(word), word);
      }
    }
  });
}

Deno.test("docs/config.md lists what a project's file may say without trust, and nothing else", async () => {
  const text = await Deno.readTextFile(new URL("docs/config.md", ROOT));
  const rows = [...text.matchAll(/^\| `(\w+)` +\| (`\w+`(?:, `\w+`)*) +\|$/gm)];
  const told = new Map(
    rows.map(([, group = "", flags = ""]) => [
      group,
      flags.replaceAll("`", "").split(", ").sort(),
    ]),
  );
  const schema = JSON.parse(
    await Deno.readTextFile(new URL("docs/config.schema.json", ROOT)),
  );
  const groups = Object.entries<{ properties: object }>(schema.properties);
  const harmless = groups.map(([group, { properties }]) =>
    [
      group,
      Object.keys(properties).filter((name) =>
        name !== "dryRun" && !needsTrust({ group, name })
      ).sort(),
    ] as const
  ).filter(([, names]) => names.length > 0);
  assert.deepEqual(told, new Map(harmless));
  assert.match(text, /^\| each verb +\| `dryRun`, where it has it +\|$/m);
  for (const [group, { properties }] of groups) {
    if (!Object.hasOwn(properties, "dryRun")) continue;
    assert.ok(!needsTrust({ group, name: "dryRun" }), group);
  }
});
