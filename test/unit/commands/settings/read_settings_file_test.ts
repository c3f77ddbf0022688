// Files of settings that somebody hostile or clumsy wrote.
import assert from "node:assert/strict";
import { exec } from "../../../../src/core/exec.ts";
import { UsageError } from "../../../../src/core/errors.ts";
import {
  parseSettings,
  readSettingsFile,
} from "../../../../src/commands/settings/read_settings_file.ts";
import { TempFolder } from "../../kube/temp_folder.ts";

/** Nine levels of nine: 387 million texts, were they written out. */
const ALIAS_BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" +
  [..."bcdefghi"].map((name, at) => {
    const before = `*${"abcdefgh"[at]}`;
    return `${name}: &${name} [${Array(9).fill(before).join(",")}]\n`;
  }).join("");

for (
  const [name, text, line, reason] of [
    ["broken YAML", "global:\n  namespace: [a\n", 3, /Flow sequence/],
    ["a list", "- a\n", 1, /holds no groups/],
    ["a text in place of a group", "global: shop\n", 1, /"global" is a group/],
    ["a value in place of none", "global:\n  namespace:\n", 2, /no value/],
    ["a group in a group", "global:\n  a:\n    b: c\n", 3, /keys below it/],
    [
      "a key that is there twice",
      "global:\n  a: b\n  a: c\n",
      3,
      /must be unique/,
    ],
    [
      "both spellings of a key",
      "clean:\n  dryRun: true\n  dry-run: false\n",
      3,
      /twice/,
    ],
    ["a list in a list", "global:\n  plugin: [a, [b]]\n", 2, /is no text/],
    ["an alias", "global: &x\n  a: &y b\n  c: *y\n", 3, /aliases/],
    [
      "a group that is an alias",
      "global: &x\n  a: b\nmesh: *x\n",
      3,
      /is a group/,
    ],
    ["an alias bomb", ALIAS_BOMB, 1, /"a" is a group/],
    ["a merge key", "global: &x {a: b}\nmesh: {<<: *x}\n", 2, /alias/],
    ["a tag", "global:\n  a: !!js/function x\n", 2, /tag/],
    ["two documents", "global: {}\n---\nmesh: {}\n", 2, /document/],
    ["a key that is no word", "? [a]\n: b\n", 1, /a key is a word/],
  ] as const
) {
  Deno.test(`a file of settings with ${name} is refused, with its line`, async () => {
    await assert.rejects(parseSettings(text, "/x/f.yaml"), (error) => {
      assert.ok(error instanceof UsageError);
      assert.equal(error.code, "CONFIG_INVALID");
      assert.ok(
        error.message.startsWith(`Cannot use "/x/f.yaml", line ${line}: `),
        error.message,
      );
      assert.match(error.message, reason);
      return true;
    });
  });
}

Deno.test("60000 brackets in a file of settings are an error, and take less than 5 s", async () => {
  const since = performance.now();
  await assert.rejects(
    parseSettings(`global: ${"[".repeat(60_000)}`, "/x"),
    UsageError,
  );
  assert.ok(performance.now() - since < 5000);
});

Deno.test("values stay as they are written, and a group may be empty", async () => {
  const text = "mesh:\n  version-mark: 1.10\n  skipPortChecking: true\n" +
    "global:\nclean:\n  thresholdInMinus: 0x10\nexchange:\n  expose: 8080:80\n";
  assert.deepEqual(
    (await parseSettings(text, "/x")).map(({ group, name, value, line }) => [
      group,
      ...[name, value, line],
    ]),
    [
      ["mesh", "versionMark", "1.10", 2],
      ["mesh", "skipPortChecking", true, 3],
      ["clean", "thresholdInMinus", "0x10", 6],
      ["exchange", "expose", "8080:80", 8],
    ],
  );
  assert.deepEqual(await parseSettings("# nothing\n", "/x"), []);
});

Deno.test({
  name:
    "a device, a pipe, a folder and a huge file are refused before they are read",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await TempFolder.make();
    const at = (name: string) => `${folder.path}/${name}`;
    await Deno.symlink("/dev/zero", at("device"));
    assert.equal((await exec("mkfifo", [at("pipe")])).code, 0);
    await Deno.mkdir(at("folder"));
    await Deno.writeTextFile(at("huge"), "#".repeat(65 * 1024));
    await Deno.symlink("circle", at("circle"));
    await Deno.writeFile(at("bytes"), new Uint8Array([0xff, 0xfe, 0]));
    for (
      const [name, reason] of [
        ["device", /not a regular file/],
        ["pipe", /not a regular file/],
        ["folder", /not a regular file/],
        ["huge", /longer than 65536 bytes/],
        ["circle", /in a circle/],
        ["bytes", /not text in UTF-8/],
      ] as const
    ) {
      await assert.rejects(
        readSettingsFile(at(name)),
        (error) =>
          error instanceof UsageError && error.code === "CONFIG_UNREADABLE" &&
          error.message.includes(`"${at(name)}"`) && reason.test(error.message),
        name,
      );
    }
    assert.equal(await readSettingsFile(at("none")), undefined);
  },
});
