import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { testRuns, UNIT_ALONE } from "../../scripts/test_runs.ts";

const FILES = Array.from(
  Deno.readDirSync(new URL("../cluster/", import.meta.url)),
  ({ name }) => `test/cluster/${name}`,
).filter((file) => file.endsWith("_test.ts"));
const ALONE = /\/(killed_\w+|signals)_test/;

function formsByFile(...args: Parameters<typeof testRuns>) {
  const found: Record<string, string[]> = {};
  for (const { files, form } of testRuns(...args)) {
    for (const file of files) (found[file] ??= []).push(form);
  }
  return found;
}

Deno.test("each test file runs once, that of plugins with each form that people start, the smoke set once more on each form that nothing else starts", () => {
  const forms = formsByFile(FILES, ALONE);
  assert.deepEqual(Object.keys(forms).toSorted(), FILES.toSorted());
  const {
    "connect_user": user,
    "every_verb": verbs,
    "plugin_examples": plugins,
    ...others
  } = Object
    .fromEntries(
      Object.entries(forms).map(([file, forms]) => [
        file.replace(/^.*\/(\w+)_test\.ts$/, "$1"),
        forms,
      ]),
    );
  assert.deepEqual(user, ["portable", "url"]);
  assert.deepEqual(verbs, ["portable", "url"]);
  assert.deepEqual(plugins, ["source", "bundle", "portable"]);
  for (const [name, forms] of Object.entries(others)) {
    assert.equal(forms.length, 1, name);
  }
  assert.deepEqual(others["signals"], ["bundle"]);
  assert.deepEqual(others["exchange"], ["source"]);
  const unit = "test/unit/commands/connect/connect_names_test.ts";
  assert.deepEqual(formsByFile([unit], ALONE)[unit], ["source"]);
});

Deno.test("what runs by itself comes last, whatever its form", () => {
  const runs = testRuns(FILES, ALONE);
  const first = runs.findIndex(({ isParallel }) => !isParallel);
  assert.ok(first > 0);
  for (const [at, { files, isParallel }] of runs.entries()) {
    assert.equal(isParallel, at < first);
    for (const file of files) assert.equal(ALONE.test(file), !isParallel);
  }
});

Deno.test("a form that is asked for is the only one", () => {
  const forms = formsByFile(FILES, ALONE, { form: "url" });
  assert.deepEqual(Object.keys(forms).toSorted(), FILES.toSorted());
  assert.deepEqual(new Set(Object.values(forms).flat()), new Set(["url"]));
});

Deno.test("unit tests that change what all files of a process share run by themselves", async () => {
  const folder = fileURLToPath(new URL("../unit/", import.meta.url));
  const changing: string[] = [];
  for await (const path of filesBelow(folder)) {
    if (!path.endsWith("_test.ts")) continue;
    const text = await Deno.readTextFile(path);
    if (/\bDeno\.(env\.(set|delete)|chdir)\(/.test(text)) changing.push(path);
  }
  assert.ok(changing.length >= 3, changing.join());
  assert.deepEqual(changing.filter((path) => !UNIT_ALONE.test(path)), []);
});

async function* filesBelow(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* filesBelow(`${folder}${name}/`);
    else yield `${folder}${name}`;
  }
}
