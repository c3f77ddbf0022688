// How a plugin says no, and what of it is believed.
import assert from "node:assert/strict";
import {
  Cancelled,
  ConflictError,
  ERROR_KIND,
  KtctlError,
  NotFoundError,
  PluginError,
  UnsupportedError,
  UsageError,
  WriteConflictError,
} from "../../../src/core/errors.ts";
import { planRouting } from "../../../src/plugins/driver.ts";
import type { RoutingContext } from "../../../src/plugins/plugin.ts";
import { fakeRouting } from "./fake_routing.ts";

/** The classes once more, as a plugin brings them along that carries ktctl's `mod.ts`. */
const copy: typeof import("../../../src/core/errors.ts") = await import(
  `${import.meta.resolve("../../../src/core/errors.ts")}?copy`
);

/** What a plugin's `plan()` comes to. */
async function outcome(
  plan: (context: RoutingContext<never>) => unknown,
  context: Partial<RoutingContext<never>> = {},
): Promise<KtctlError> {
  const planned = planRouting(
    fakeRouting({ plan }),
    context as RoutingContext<never>,
  );
  return await planned.then(
    () => assert.fail("it did not throw"),
    (error) => error,
  );
}

const thrown = (value: unknown) => outcome(() => Promise.reject(value));

Deno.test("refuse() comes to the user as it was written, with the exit code of its kind", async () => {
  for (
    const [kind, exitCode] of [
      [undefined, 3],
      ["usage", 2],
      ["unsupported", 3],
      ["permission", 4],
      ["cluster", 5],
      ["conflict", 7],
    ] as const
  ) {
    const error = await outcome(({ refuse }) =>
      refuse("NO_MOON", "Cannot go without a moon", {
        hint: "Wait for the night.",
        details: ["It is day."],
        ...(kind && { kind }),
      })
    );
    assert.ok(Object.getPrototypeOf(error) !== PluginError.prototype);
    assert.deepEqual(
      [error.code, error.message, error.hint, error.details, error.exitCode],
      [
        "NO_MOON",
        "Cannot go without a moon",
        "Wait for the night.",
        ["It is day."],
        exitCode,
      ],
    );
  }
});

Deno.test("an error of another copy of the classes is of ours, both ways", async () => {
  assert.notEqual(copy.ConflictError, ConflictError);
  const error = await thrown(
    new copy.ConflictError("TAKEN", "Cannot take it", {
      hint: "Wait.",
      details: ["by another"],
    }),
  );
  assert.equal(error.constructor, ConflictError);
  assert.deepEqual(
    [error.code, error.message, error.hint, error.details, error.exitCode],
    ["TAKEN", "Cannot take it", "Wait.", ["by another"], 7],
  );
  const ours = new NotFoundError("NOT_FOUND", "No such Service");
  assert.ok(ours instanceof copy.NotFoundError);
  assert.ok(ours instanceof copy.ClusterError);
  assert.ok(ours instanceof copy.KtctlError);
  assert.ok(!(ours instanceof copy.WriteConflictError));
  assert.ok(!(ours instanceof copy.ConflictError));
});

Deno.test("instanceof goes by class as ever", () => {
  const conflict = new WriteConflictError("X", "x");
  assert.ok(conflict instanceof WriteConflictError);
  assert.ok(!(conflict instanceof NotFoundError));
  assert.ok(!(conflict instanceof ConflictError));
  assert.ok(!(new TypeError("x") instanceof KtctlError));
  for (const value of [undefined, null, "x", {}, { [ERROR_KIND]: 1 }]) {
    assert.ok(!((value as unknown) instanceof KtctlError));
  }
});

Deno.test("our own error keeps its identity", async () => {
  const error = new UsageError("X", "x");
  assert.equal(await thrown(error), error);
});

Deno.test("a stranger's exit code, and a class of its own, are not believed", async () => {
  class Sly extends ConflictError {
    override readonly exitCode = 0 as never;
  }
  assert.equal((await thrown(new Sly("SLY", "All is well"))).exitCode, 7);
  class Slier extends copy.UnsupportedError {
    override readonly exitCode = 0 as never;
  }
  const error = await thrown(new Slier("SLY", "All is well"));
  assert.deepEqual([error.exitCode, error.constructor], [3, UnsupportedError]);
});

Deno.test("what is shaped otherwise is the plugin's defect", async () => {
  const base = { code: "X", message: "x", details: [] };
  for (
    const value of [
      { ...base, [ERROR_KIND]: "victory" },
      { ...base, [ERROR_KIND]: "usage", message: 7 },
      { ...base, [ERROR_KIND]: "usage", details: [7] },
      {
        [ERROR_KIND]: "usage",
        get message() {
          throw new TypeError("not that way");
        },
      },
      { ...base, exitCode: 0, name: "UsageError" },
      undefined,
    ]
  ) {
    const error = await thrown(value);
    assert.deepEqual([error.code, error.exitCode], ["PLUGIN_THREW", 8]);
  }
});

Deno.test("a stranger's texts are bounded, and its code is a name", async () => {
  const long = "x".repeat(1 << 20);
  const error = await thrown(
    new copy.UsageError("no name\n", long, {
      hint: long,
      details: Array(1000).fill(long),
    }),
  );
  assert.equal(error.code, "PLUGIN_REFUSED");
  assert.equal(error.message.length, 2_000);
  assert.equal(error.hint?.length, 2_000);
  assert.deepEqual([error.details.length, error.details[0]?.length], [
    50,
    2_000,
  ]);
  const defect = await thrown(new TypeError(long));
  assert.ok(defect.message.length < 2_100);
});

Deno.test("an end that nobody asked for is the plugin's defect; one that somebody did is none", async () => {
  const aborts = [
    new DOMException("no more", "AbortError"),
    new Cancelled(),
    new copy.Cancelled(),
  ];
  for (const error of aborts) {
    const plan = () => Promise.reject(error);
    const running = new AbortController().signal;
    assert.equal((await outcome(plan, { signal: running })).exitCode, 8);
    const ended = AbortSignal.abort(new Cancelled());
    assert.equal(await outcome(plan, { signal: ended }), error);
  }
});
