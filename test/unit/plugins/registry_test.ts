import assert from "node:assert/strict";
import { type PluginError, UsageError } from "../../../src/core/errors.ts";
import { builtinRegistry } from "../../../src/plugins/builtin.ts";
import type { TransportPlugin } from "../../../src/plugins/plugin.ts";
import { PluginRegistry } from "../../../src/plugins/registry.ts";
import { objectStep } from "../../../src/cluster/object/object_step.ts";
import type { AnyStep } from "../../../src/undo/step.ts";
import type { World } from "../../../src/kube/world.ts";
import { fakeRouting } from "./fake_routing.ts";

Deno.test("the registry gives a plugin by the name that --mode takes", async () => {
  const registry = builtinRegistry();
  registry.add(fakeRouting({ name: "mirror" }), "./mirror.ts");
  assert.equal(
    (await registry.routing("mirror", "exchange")).name,
    "mirror",
  );
  assert.equal(
    (await registry.routing("selector", "exchange")).name,
    "selector",
  );
});

Deno.test("an unknown mode is refused with what there is", async () => {
  await assert.rejects(
    () => builtinRegistry().routing("scal", "exchange"),
    (error: UsageError) => {
      assert.equal(error.code, "MODE_UNKNOWN");
      assert.match(
        error.hint!,
        /Did you mean "scale"\? There are: selector, scale/,
      );
      return true;
    },
  );
});

Deno.test("a mode is known only to the verbs that it works for", async () => {
  await assert.rejects(
    () => builtinRegistry().routing("selector", "mesh"),
    UsageError,
  );
});

Deno.test("two plugins of one name are refused with both sources", () => {
  const registry = builtinRegistry();
  assert.throws(
    () => registry.add(fakeRouting({ name: "scale" }), "./mine.ts"),
    (error: PluginError) => {
      assert.equal(error.code, "PLUGIN_DUPLICATE");
      assert.match(error.message, /\.\/mine\.ts.*built-in/);
      return true;
    },
  );
});

const step = (id: string): AnyStep<World> => ({
  id,
  describe: () => "nothing",
  undoCommand: () => "true",
  apply: () => Promise.resolve(),
  revert: () => Promise.resolve(),
});

for (const id of ["kube.object", "service.lock", "mine.step"]) {
  Deno.test(`a plugin cannot put a step of its own in the place of another "${id}"`, async () => {
    const registry = new PluginRegistry();
    const first = fakeRouting({ name: "mine", steps: [step("mine.step")] });
    registry.add(first, "./mine.ts");
    const before = new Map(registry.steps());
    const other = fakeRouting({ name: "other", steps: [step("x"), step(id)] });
    assert.throws(
      () => registry.add(other, "./other.ts"),
      { code: "PLUGIN_STEP_DUPLICATE", message: /\.\/other\.ts.*another step/ },
    );
    assert.deepEqual(registry.steps(), before);
    await assert.rejects(() => registry.routing("other", "exchange"));
  });
}

const transport: TransportPlugin = {
  apiVersion: 1,
  kind: "transport",
  name: "pigeon",
  summary: "none",
  steps: [],
  probe: () => Promise.resolve({ ok: true }),
  needs: () => ({ dns: "none", captures: false }),
  open: () => Promise.resolve({}),
};

Deno.test("plugins may share one step", () => {
  const registry = new PluginRegistry();
  const shared = step("shared");
  registry.add(fakeRouting({ name: "a", steps: [shared, objectStep] }), "./a");
  registry.add(fakeRouting({ name: "b", steps: [shared] }), "./b");
  assert.equal(registry.steps().get("shared"), shared);
});

for (
  const [claim, value, code, text] of [
    ["no object", undefined, "PLUGIN_INVALID", /default export is no object/],
    [
      "another API version",
      fakeRouting({ apiVersion: 2 }),
      "PLUGIN_API_VERSION",
      /made for plugin API 2/,
    ],
    [
      "a bad name",
      fakeRouting({ name: "My Plugin" }),
      "PLUGIN_INVALID",
      /"My Plugin"/,
    ],
    [
      "another kind",
      fakeRouting({ kind: "storage" }),
      "PLUGIN_INVALID",
      /"storage"/,
    ],
    [
      "a missing method",
      fakeRouting({ plan: undefined }),
      "PLUGIN_INVALID",
      /no plan\(\)/,
    ],
    [
      "no list of steps",
      fakeRouting({ steps: undefined }),
      "PLUGIN_INVALID",
      /no list of steps/,
    ],
    [
      "a step that cannot be reverted",
      fakeRouting({ steps: [{ ...step("x"), revert: undefined }] }),
      "PLUGIN_INVALID",
      /revert\(\)/,
    ],
    [
      "a transport's missing needs()",
      { ...transport, needs: undefined },
      "PLUGIN_INVALID",
      /no needs\(\)/,
    ],
    [
      "a transport's missing open()",
      { ...transport, open: undefined },
      "PLUGIN_INVALID",
      /no open\(\)/,
    ],
    [
      "a field that throws",
      {
        get apiVersion() {
          throw new TypeError("it has no version");
        },
      },
      "PLUGIN_INVALID",
      /cannot be looked at: it has no version/,
    ],
    ["no verb", fakeRouting({ verbs: [] }), "PLUGIN_INVALID", /no verb/],
    [
      "a verb that routes nothing",
      fakeRouting({ verbs: ["connect"] }),
      "PLUGIN_INVALID",
      /"connect" is none of exchange, mesh, preview/,
    ],
    [
      "no summary",
      fakeRouting({ summary: undefined }),
      "PLUGIN_INVALID",
      /no summary/,
    ],
    [
      "a method that is none",
      fakeRouting({ prepare: true }),
      "PLUGIN_INVALID",
      /no prepare\(\)/,
    ],
    [
      "options of no schema",
      fakeRouting({ options: { port: 1 } }),
      "PLUGIN_INVALID",
      /Standard Schema/,
    ],
    [
      "flags that nothing reads",
      fakeRouting({ flags: [{ name: "size", summary: "x" }] }),
      "PLUGIN_INVALID",
      /no options that read them/,
    ],
    ...[
      { name: "map-port", summary: "x" },
      { name: "size" },
      { name: "size", value: "<m>", summary: "x" },
    ].map((flag) =>
      [
        `the flag ${JSON.stringify(flag)}`,
        fakeRouting({ flags: [flag] }),
        "PLUGIN_INVALID",
        /each of its flags/,
      ] as const
    ),
  ] as const
) {
  Deno.test(`a plugin with ${claim} is refused at load, with its source`, () => {
    assert.throws(
      () => new PluginRegistry().add(value, "./x.ts"),
      (error: PluginError) => {
        assert.equal(error.code, code);
        assert.match(error.message, /\.\/x\.ts/);
        assert.match(error.message, text);
        return true;
      },
    );
  });
}
