import assert from "node:assert/strict";
import { PluginRecorder } from "../../../../src/commands/session/plugin_recorder.ts";
import { PermissionError } from "../../../../src/core/errors.ts";
import { PODS } from "../../../../src/kube/resources.ts";
import type {
  PluginScope,
  Step,
  World,
} from "../../../../src/plugins/plugin.ts";
import { made } from "../../cluster/leftovers.ts";
import { MemoryKube } from "../../../fakes/memory_kube.ts";

const step: Step<string, undefined, string, World> = {
  id: "by-name.service",
  describe: (name) => name,
  undoCommand: (name) => `kubectl delete service ${name}`,
  apply: (name) => Promise.resolve(name),
  revert: () => Promise.resolve(),
};

function recorded(kube: MemoryKube) {
  const warnings: string[] = [];
  const recorder = new PluginRecorder(kube.api, { name: "by-name" }, {
    origin: { source: "by_name.ts", steps: [step.id] },
    report: { warn: (code) => warnings.push(code) },
  });
  recorder.follow({ resource: PODS, name: "web", namespace: "test" });
  const scope = {
    signal: new AbortController().signal,
    defer: () => {},
    run: (one: typeof step, args: string) =>
      one.apply(args, undefined, { kube: kube.api }),
  } as unknown as PluginScope;
  return { scope: recorder.recorded(scope), recorder, warnings };
}

Deno.test("a plugin's change is made though it cannot be told on the Shadow Pod", async () => {
  const kube = new MemoryKube(made("Pod", "web", {}));
  kube.patch = () =>
    Promise.reject(new PermissionError("RBAC_FORBIDDEN", "may not patch"));
  const { scope, recorder, warnings } = recorded(kube);
  assert.equal(await scope.run(step, "one", undefined), "one");
  assert.deepEqual(warnings, ["PLUGIN_UNRECORDED"]);
  // a pod that is made anew tells of it
  assert.match(JSON.stringify(recorder.annotations()), /delete service one/);
});

Deno.test("a plugin's change is made though its Shadow Pod is gone", async () => {
  const { scope, warnings } = recorded(new MemoryKube());
  assert.equal(await scope.run(step, "one", undefined), "one");
  assert.deepEqual(warnings, []);
});
