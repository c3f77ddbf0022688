// What sessions with a plugin of somebody else's left.
import assert from "node:assert/strict";
import { mock } from "node:test";
import { deadState } from "../../../../src/cluster/clean/dead_state.ts";
import { planChanges } from "../../../../src/cluster/clean/plan_changes.ts";
import {
  pluginRecordText,
  readPluginRecord,
} from "../../../../src/cluster/object/plugin_record.ts";
import type { Report } from "../../../../src/core/report.ts";
import type {
  AnyClusterStep,
  ClusterStep,
  NamespaceState,
} from "../../../../src/kube/cluster_step.ts";
import { builtinRegistry } from "../../../../src/plugins/builtin.ts";
import { actionsOf, FRESH, made, NOW, OLD, own, state } from "../leftovers.ts";

const record = {
  name: "by-name",
  source: "/home/alice/by_name.ts",
  steps: ["by-name.service"],
  undo: ["kubectl delete service web-demo -n test"],
};

function shadow(heartbeat: string) {
  return made("Pod", "web-kt-mesh-abcde", {
    heartbeat,
    session: "s1",
    role: "shadow-mesh",
    annotations: { "ktctl.dev/plugin": pluginRecordText(record) },
  });
}

const service = own("Service", "web-demo", {}, { "ktctl.dev/session": "s1" });

type Args = { readonly name: string };

const plain: ClusterStep<Args> = {
  id: "by-name.service",
  describe: ({ name }) => `Service "${name.toLowerCase()}"`,
  undoCommand: ({ name }) => `kubectl delete service ${name}`,
  apply: () => Promise.resolve(),
  revert: () => Promise.resolve(),
};

const finding: ClusterStep<Args> = {
  ...plain,
  find: ({ services, isOver }) =>
    services.filter((one) =>
      one.metadata.annotations?.["ktctl.dev/session"] !== undefined &&
      isOver(one)
    ).map(({ metadata: { name } }) => ({
      args: { name },
      action: `take away Service "${name}"`,
    })),
};

async function plan(
  part: Partial<NamespaceState>,
  ...plugin: AnyClusterStep[]
) {
  const steps = new Map(builtinRegistry().steps());
  for (const step of plugin) steps.set(step.id, step);
  const all = new Map([
    ...plugin.map((step) => [step.id, step] as const),
    ...steps,
  ]);
  const warnings: string[] = [];
  const report = {
    warn: (code: string, text: string) => warnings.push(`${code} ${text}`),
  } as unknown as Report;
  const dead = deadState(state(part), {
    namespace: "test",
    now: NOW,
    thresholdMinutes: 5,
    attached: new Set(),
    attachedSessions: new Set(),
    unreadable: [],
  });
  const { changes, failure } = await planChanges(dead, all, report);
  return { actions: actionsOf(changes), code: failure?.code, warnings };
}

Deno.test("what a plugin's step finds of a dead session is taken back before its Shadow Pod, from any laptop", async () => {
  const left = { services: [service], pods: [shadow(OLD)] };
  assert.deepEqual(await plan(left, finding), {
    actions: [
      'take away Service "web-demo"',
      'delete Pod "web-kt-mesh-abcde"',
    ],
    code: undefined,
    warnings: [],
  });
  const live = { services: [service], pods: [shadow(FRESH)] };
  assert.deepEqual((await plan(live, finding)).actions, []);
});

Deno.test("a Service that a plugin made to lead to the Shadow Pod is not taken for a switched one", async () => {
  const leading = own("Service", "web-demo", {
    selector: { "kt-role": "shadow-mesh", "kt-target": "AbC" },
  }, { "ktctl.dev/session": "s1" });
  const pod = shadow(OLD);
  pod.metadata.labels!["kt-target"] = "AbC";
  const without = await plan({ services: [leading], pods: [pod] });
  assert.deepEqual(without.actions, []);
  // nor, with the plugin, where its pod is gone
  const finds: AnyClusterStep = {
    ...finding,
    find: ({ services }) =>
      services.map((object) => ({
        args: { name: object.metadata.name },
        action: "take it away",
        object,
      })),
  };
  const alone = await plan({ services: [leading] }, finds);
  assert.deepEqual(alone.actions, ["take it away"]);
});

Deno.test("without the plugin its session is left, and who cleans is told which plugin it was and what undoes it by hand", async () => {
  const other = made("Pod", "db-kt-exchange-abcde", {
    heartbeat: OLD,
    session: "s2",
  });
  const left = { services: [service], pods: [shadow(OLD), other] };
  const { actions, code, warnings } = await plan(left);
  assert.deepEqual(actions, ['delete Pod "db-kt-exchange-abcde"']);
  assert.equal(code, "PLUGIN_NEEDED");
  assert.equal(warnings.length, 1);
  assert.match(
    warnings[0]!,
    /"by-name" \(by_name\.ts\).*`kubectl delete service web-demo -n test`, then `kubectl delete pod web-kt-mesh-abcde -n test`$/,
  );
  const live = { services: [service], pods: [shadow(FRESH)] };
  assert.deepEqual((await plan(live)).warnings, []);
});

Deno.test("a plugin that tells of no leftovers leaves them to a person as well", async () => {
  const left = { services: [service], pods: [shadow(OLD)] };
  const { actions, code, warnings } = await plan(left, plain);
  assert.deepEqual(actions, []);
  assert.equal(code, "PLUGIN_NEEDED");
  assert.match(warnings[0]!, /its author has to/);
});

Deno.test("a plugin that fails when it looks, or finds nonsense, costs its own sessions alone", async () => {
  const other = made("Pod", "db-kt-exchange-abcde", {
    heartbeat: OLD,
    session: "s2",
  });
  const left = { services: [service], pods: [shadow(OLD), other] };
  const throwing: AnyClusterStep = {
    ...plain,
    find: () => {
      throw new TypeError("a defect");
    },
  };
  const nonsense: AnyClusterStep = {
    ...plain,
    find: () => [{ args: { name: 1 }, action: "" }],
  };
  for (const step of [throwing, nonsense]) {
    const { actions, code, warnings } = await plan(left, step);
    assert.deepEqual(actions, ['delete Pod "db-kt-exchange-abcde"']);
    assert.equal(code, "PLUGIN_NEEDED");
    assert.match(warnings[0]!, /^STEP_FAILED .*"by-name\.service"/);
  }
});

Deno.test("a plugin that looks without end, or claims what is no list, costs its own sessions alone", async () => {
  const other = made("Pod", "db-kt-exchange-abcde", {
    heartbeat: OLD,
    session: "s2",
  });
  const left = { services: [service], pods: [shadow(OLD), other] };
  const claiming = {
    ...finding,
    claims: () => Promise.resolve([]),
  } as unknown as AnyClusterStep;
  assert.deepEqual((await plan(left, claiming)).actions, [
    'take away Service "web-demo"',
    'delete Pod "web-kt-mesh-abcde"',
    'delete Pod "db-kt-exchange-abcde"',
  ]);
  const endless = {
    ...plain,
    find: () => new Promise(() => {}),
  } as unknown as AnyClusterStep;
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    let isOver = false;
    const planned = plan(left, endless).finally(() => isOver = true);
    while (!isOver) {
      mock.timers.tick(30_000);
      await Promise.resolve();
    }
    const { actions, code, warnings } = await planned;
    assert.deepEqual(actions, ['delete Pod "db-kt-exchange-abcde"']);
    assert.equal(code, "PLUGIN_NEEDED");
    assert.match(warnings[0]!, /^STEP_FAILED .*did not tell within 30 s/);
  } finally {
    mock.timers.reset();
  }
});

Deno.test("where a step that restores cannot look, nothing is deleted, and nobody is told that all is clean", async () => {
  const other = made("Pod", "db-kt-exchange-abcde", {
    heartbeat: OLD,
    session: "s2",
  });
  const throwing: AnyClusterStep = {
    ...plain,
    restores: true,
    find: () => {
      throw new TypeError("a defect");
    },
  };
  const { actions, code } = await plan({ pods: [other] }, throwing);
  assert.deepEqual(actions, []);
  assert.equal(code, "STEP_FAILED");
});

Deno.test("a plugin's record says nothing that a terminal obeys, no path, and no more than so much", () => {
  const text = pluginRecordText({
    ...record,
    undo: [`a\u001b[2Jb\nc ${"x".repeat(5_000)}`, ...Array(50).fill("more")],
  });
  const read = readPluginRecord(made("Pod", "p", {
    annotations: { "ktctl.dev/plugin": text },
  }));
  assert.equal(read?.source, "by_name.ts");
  assert.equal(read?.undo.length, 20);
  assert.match(read!.undo[0]!, /^a \[2Jb c x+$/);
  assert.equal(read!.undo[0]!.length, 1_000);
  for (
    const forged of [
      "{",
      JSON.stringify({ ...record, undo: ["rm\u001b[2J"] }),
      JSON.stringify({ ...record, undo: "rm" }),
      JSON.stringify({ ...record, name: "x".repeat(101) }),
    ]
  ) {
    const pod = made("Pod", "p", {
      annotations: { "ktctl.dev/plugin": forged },
    });
    assert.equal(readPluginRecord(pod), undefined, forged);
  }
});

Deno.test("a plugin's record has no password, no token and no path, and shows a command as it is", () => {
  const text = (source: string) =>
    JSON.parse(pluginRecordText({ ...record, source })).source;
  assert.equal(
    text("https://alice:secret@example.com/p.ts?token=abc#sha256=12"),
    "https://example.com/p.ts#sha256=12",
  );
  assert.equal(text("npm:@team/plugin@1"), "npm:@team/plugin@1");
  for (const path of ["C:\\Users\\alice\\p.ts", "file:///home/alice/p.ts"]) {
    assert.equal(text(path), "p.ts");
  }
  const reversed = { ...record, undo: ["kubectl get \u202epods"] };
  const object = (annotation: string) =>
    made("Pod", "p", { annotations: { "ktctl.dev/plugin": annotation } });
  assert.deepEqual(
    readPluginRecord(object(pluginRecordText(reversed)))?.undo,
    ["kubectl get  pods"],
  );
  assert.equal(readPluginRecord(object(JSON.stringify(reversed))), undefined);
});
