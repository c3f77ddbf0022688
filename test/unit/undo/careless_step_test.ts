// Steps of plugins that throw, or never return, where no step should.
import assert from "node:assert/strict";
import { mock } from "node:test";
import type { CleanupError } from "../../../src/core/errors.ts";
import { journalledArgs } from "../../../src/undo/journalled_args.ts";
import { Scope } from "../../../src/undo/scope.ts";
import type { Step } from "../../../src/undo/step.ts";
import { MemoryJournal } from "../core/memory_journal.ts";

type NameStep = Step<{ name: string }, undefined, void, string[]>;

const note: NameStep = {
  id: "test.note",
  describe: ({ name }) => `note ${name}`,
  undoCommand: ({ name }) => `forget ${name}`,
  apply: ({ name }, _, log) => Promise.resolve(void log.push(`apply ${name}`)),
  revert: ({ name }, log) => Promise.resolve(void log.push(`revert ${name}`)),
};

function open(applyTimeoutMs?: number) {
  const world: string[] = [];
  const journal = new MemoryJournal();
  const scope = Scope.root<string[]>({
    ...{ world, journal, signal: new AbortController().signal },
    ...(applyTimeoutMs !== undefined && { applyTimeoutMs }),
  });
  return { world, journal, scope };
}

const fails = () => {
  throw new TypeError("it has no such field");
};

for (const method of ["describe", "undoCommand"] as const) {
  Deno.test(`a step whose ${method}() throws is not applied, and what came before is taken back`, async () => {
    const { world, scope } = open();
    await scope.run(note, { name: "first" }, undefined);
    await assert.rejects(
      scope.run({ ...note, [method]: fails }, { name: "second" }, undefined),
      /no such field/,
    );
    await scope.dispose();
    assert.deepEqual(world, ["apply first", "revert first"]);
  });
}

Deno.test("a change that is made without end holds up the end for so long, is told and taken back, and once more by a later command", async () => {
  const { world, journal, scope } = open(20);
  await scope.run(note, { name: "first" }, undefined);
  const endless = { ...note, apply: () => new Promise<void>(() => {}) };
  void scope.run(endless, { name: "second" }, undefined);
  await assert.rejects(scope.dispose(), ({ details }: CleanupError) => {
    assert.match(details[0]!, /^note second: it was still being made/);
    assert.match(details[1]!, /A change went on after the end/);
    return true;
  });
  assert.deepEqual(world, ["apply first", "revert second", "revert first"]);
  assert.deepEqual(
    scope.leftovers().map(({ description }) => description),
    ["note second"],
  );
  assert.deepEqual(
    journal.records.filter(({ type }) => type === "reverted"),
    [{ type: "reverted", n: 0 }],
  );
});

const schemaOf = (validate: () => never | Promise<never>) => ({
  ...note,
  schema: { "~standard": { version: 1, vendor: "test", validate } } as const,
});

Deno.test("a journal's line is unreadable where the step's schema throws or does not return", async () => {
  const args = { name: "x" };
  const { reason } = await journalledArgs(schemaOf(fails), args);
  assert.match(reason!, /not as this version writes it/);
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const endless = schemaOf(() => new Promise(() => {}));
    const read = journalledArgs(endless, args);
    mock.timers.tick(5_000);
    assert.match((await read).reason!, /not as this version writes it/);
  } finally {
    mock.timers.reset();
  }
});
