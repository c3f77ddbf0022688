// What a plugin holds may fail, or never let go: the rest is taken back all the same.
import assert from "node:assert/strict";
import type { CleanupError } from "../../../src/core/errors.ts";
import { openTestingScope } from "../../../src/plugins/kit/testing_scope.ts";
import type { KubeApi } from "../../../src/kube/kube_api.ts";
import type { PluginScope } from "../../../src/plugins/plugin.ts";
import { pluginScope } from "../../../src/plugins/plugin_scope.ts";

/** What is told at the end, and whether that came before what was released last. */
async function endOf(hold: (scope: PluginScope) => void): Promise<string> {
  const { scope } = openTestingScope({ kube: {} as KubeApi });
  let isReleased = false;
  scope.defer("what came before", () => void (isReleased = true));
  hold(pluginScope(scope, {
    plugin: "fake",
    toError: (error) => error,
    releaseMs: 20,
    taskMs: 20,
  }));
  const told = await scope.dispose().then(
    () => "",
    ({ message }: CleanupError) => message,
  );
  assert.ok(isReleased);
  return told;
}

const forever = () => new Promise<void>(() => {});

for (
  const [what, hold] of [
    ["a task", (scope) => scope.background("watch", forever)],
    ["a release", (scope) => scope.defer("watch", forever)],
    [
      "a resource",
      (scope) => scope.use({ [Symbol.asyncDispose]: forever }, "watch"),
    ],
  ] as [string, (scope: PluginScope) => void][]
) {
  Deno.test(`${what} of a plugin that never ends is waited for so long, and told`, async () => {
    assert.equal(
      await endOf(hold),
      'Cannot put everything back: Plugin "fake" did not end "watch" within 0.02 s',
    );
  });
}

Deno.test("what a plugin holds and lets go is let go once, last first, and nothing is told", async () => {
  const log: string[] = [];
  const told = await endOf((scope) => {
    scope.background("task", async (signal) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      signal.addEventListener("abort", () => resolve());
      await promise;
      log.push("task");
    });
    scope.defer("release", () => void log.push("release"));
    const resource = { [Symbol.dispose]: () => void log.push("resource") };
    assert.equal(scope.use(resource), resource);
  });
  assert.equal(told, "");
  // the scope's end is the task's at once
  assert.deepEqual(log, ["task", "resource", "release"]);
});
