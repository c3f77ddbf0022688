// Code below the commands speaks to a plugin's author as well, who has no command line: its texts name
// no flag of ktctl's. Advice with flags is in src/commands/session/flag_hints.ts.
import assert from "node:assert/strict";

const SNAPSHOTS = new URL("cli/snapshots/", import.meta.url);
const SRC = new URL("../../src/", import.meta.url);
const BELOW = ["cluster", "kube", "net", "link", "helper", "undo", "core"];

/** All that the help of any verb shows. */
const FLAGS = new Set(
  [...Deno.readDirSync(SNAPSHOTS)].flatMap(({ name }) =>
    Deno.readTextFileSync(new URL(name, SNAPSHOTS)).match(/--[a-z]\w+/gi) ?? []
  ),
);

/** The texts of a file that name a flag. */
function told(source: string): string[] {
  const found: string[] = [];
  const create = ({ sourceCode }: Deno.lint.RuleContext) => {
    const look = (node: Deno.lint.Literal | Deno.lint.TemplateElement) => {
      const text = node.type === "Literal" ? node.value : node.cooked;
      const around = sourceCode.getAncestors(node);
      if (typeof text !== "string" || isArgument(around)) return;
      if (around.some(isUndoCommand)) return;
      const flags = text.match(/--[a-z]\w+/gi) ?? [];
      if (flags.some((flag) => FLAGS.has(flag))) found.push(text);
    };
    return { Literal: look, TemplateElement: look };
  };
  Deno.lint.runPlugin(
    { name: "flags", rules: { told: { create } } },
    "x.ts",
    source,
  );
  return found;
}

/** Of another program, such as deno's `--output`. */
function isArgument(around: readonly Deno.lint.Node[]): boolean {
  const parent = around.at(-1);
  return parent?.type === "ArrayExpression" ||
    (parent?.type === "CallExpression" &&
      parent.callee.type === "MemberExpression" &&
      parent.callee.property.type === "Identifier" &&
      parent.callee.property.name === "push");
}

/** A whole command of ours, to be copied. */
function isUndoCommand(node: Deno.lint.Node): boolean {
  return node.type === "Property" && node.key.type === "Identifier" &&
    node.key.name === "undoCommand";
}

function filesBelow(folder: URL): URL[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory
      ? filesBelow(new URL(`${name}/`, folder))
      : name.endsWith(".ts")
      ? [new URL(name, folder)]
      : []
  );
}

Deno.test("a flag in a text is found, one in an argument or a command to copy is not", () => {
  assert.deepEqual(told('f("Use --podQuota");'), ["Use --podQuota"]);
  assert.deepEqual(told("f(`Use ${it} or --podQuota`);"), [" or --podQuota"]);
  assert.deepEqual(told('f("Use --portion");'), []);
  assert.deepEqual(told('run(["--output", file]);'), []);
  assert.deepEqual(told('flags.push("--output");'), []);
  const step = "f({ undoCommand: () => `ktctl clean --thresholdInMinus 0` });";
  assert.deepEqual(told(step), []);
});

/** For which flag of a command a right is, and what doctor has to say, is about the command line. */
const ABOUT_COMMANDS = /\/cluster\/(rights|doctor)\//;

for (const folder of BELOW) {
  Deno.test(`no text of src/${folder} names a flag of ktctl's`, () => {
    const files = filesBelow(new URL(`${folder}/`, SRC));
    const found = files.filter(({ pathname }) => !ABOUT_COMMANDS.test(pathname))
      .flatMap(
        (
          file,
        ) =>
          told(Deno.readTextFileSync(file)).map((text) =>
            `${file.pathname.split("/src/").at(-1)}: ${text}`
          ),
      );
    assert.deepEqual(found, []);
  });
}
