// The flags of plugins on the command line of a verb.
import assert from "node:assert/strict";
import { Command, Option } from "commander";
import {
  addPluginFlags,
  optionsOfMode,
  pluginOptions,
} from "../../../../src/commands/session/plugin_flags.ts";
import type { PluginError, UsageError } from "../../../../src/core/errors.ts";
import type { PluginFlag } from "../../../../src/plugins/plugin.ts";
import { fakeRouting } from "../../plugins/fake_routing.ts";

const withFlags = (name: string, ...flags: PluginFlag[]) =>
  fakeRouting({ name, flags });

function verb(): Command {
  return new Command("exchange").exitOverride().addOption(
    new Option("--mode <name>"),
  );
}

const colour = { name: "colour", value: "name", summary: "which" };

Deno.test("a plugin's flags are the verb's, and their values come under their names", () => {
  const loud = { name: "loud", summary: "shout" };
  const size = {
    name: "size",
    value: "m",
    isValueOptional: true,
    summary: "how big",
  };
  const mine = withFlags("mine", colour, loud, size);
  const other = withFlags("other", colour);
  const command = verb();
  addPluginFlags(command, [mine, other]);
  assert.match(
    command.helpInformation(),
    /--colour <name>\s+\(mode mine\) which/,
  );
  command.parse(["--colour", "red", "--loud", "--size"], { from: "user" });
  assert.deepEqual(pluginOptions(mine, [mine, other], command.opts()), {
    colour: "red",
    loud: "true",
    size: "true",
  });
  assert.throws(
    () => pluginOptions(other, [mine, other], command.opts()),
    ({ code, hint }: UsageError) => {
      assert.equal(code, "OPTION_OF_OTHER_MODE");
      assert.match(hint!, /--mode mine/);
      return true;
    },
  );
});

Deno.test("what settings say of another mode's flag is for that mode, and a flag that is given is told of", () => {
  const mine = { ...withFlags("mine", colour), aliases: ["its"] };
  const other = withFlags("other", { ...colour, name: "size" });
  const plugins = [mine, other];
  for (const mode of ["mine", "its"]) {
    const command = verb();
    addPluginFlags(command, plugins);
    command.parse(["--mode", mode], { from: "user" });
    command.setOptionValueWithSource("colour", "red", "config");
    command.setOptionValueWithSource("size", "9", "env");
    const options = optionsOfMode<object>(command, plugins);
    assert.deepEqual(options, { mode, colour: "red" });
    command.setOptionValueWithSource("size", "9", "cli");
    assert.throws(
      () => pluginOptions(mine, plugins, optionsOfMode(command, plugins)),
      { code: "OPTION_OF_OTHER_MODE" },
    );
  }
});

for (
  const [title, taken, owner] of [
    ["of the verb", [{ name: "mode", summary: "x" }], "ktctl itself"],
    [
      "that every verb has",
      [{ name: "namespace", value: "name", summary: "x" }],
      "ktctl itself",
    ],
    ["for help", [{ name: "help", summary: "x" }], "ktctl itself"],
    [
      "that sessions are given later",
      [{ name: "background", summary: "x" }],
      "ktctl itself",
    ],
    [
      "of another form, of another plugin,",
      [{ name: "colour", summary: "x" }],
      "mode first",
    ],
  ] as const
) {
  Deno.test(`a plugin's flag in the place of one ${title} is refused`, () => {
    const plugins = [
      withFlags("first", colour),
      withFlags("second", ...taken),
    ];
    assert.throws(
      () => addPluginFlags(verb(), plugins),
      ({ code, message }: PluginError) => {
        assert.equal(code, "PLUGIN_FLAG_TAKEN");
        assert.ok(
          message.endsWith(`conflicts with a flag of ${owner}`),
          message,
        );
        return true;
      },
    );
  });
}
