/**
 * The conformance kit: what every routing plugin must do, proven on a real cluster.
 */
import assert from "node:assert/strict";
import type { JournalRecord } from "../../undo/journal.ts";
import type { Json } from "../../core/json.ts";
import type { Scope } from "../../undo/scope.ts";
import type { World } from "../../kube/world.ts";
import {
  type Given,
  planRouting,
  prepareRouting,
  probePlugin,
  routeTraffic,
} from "../driver.ts";
import { type KitStep, KitSteps } from "./kit_steps.ts";
import type {
  PrepareContext,
  RoutingContext,
  RoutingPlan,
  RoutingPlugin,
} from "../plugin.ts";
import { openTestingScope } from "./testing_scope.ts";

/** @typeParam O The plugin's own options. */
export interface RoutingTestOptions<O = never> {
  readonly plugin: RoutingPlugin<O>;
  readonly world: World;
  /** A context for a target that the plugin can take. */
  readonly routing: () => Promise<Given<RoutingContext<O>>>;
  /** Starts the Shadow Pod that the plugin wants for it. Called once. */
  readonly shadow: (plan: RoutingPlan) => Promise<RoutingShadow>;
  /** All that the plugin might change, in a form that compares equal when nothing was changed. */
  readonly snapshot: () => Promise<unknown>;
  readonly step: KitStep;
  /** How long one claim may take. @default 180000 */
  readonly stepTimeoutMs?: number;
}

/** Names of what the plugin is given. */
export interface RoutingShadow {
  readonly shadowPod: string;
  /** Where the plan asks for the fallback. */
  readonly stuntman?: string;
  /** Whether it reaches a host now. @default never */
  readonly isReachable?: PrepareContext["isReachable"];
}

/** Runs the kit; each claim is one step, which fails where it does not end in time. */
export async function testRouting(options: RoutingTestOptions): Promise<void> {
  const { plugin, world } = options;
  const steps = new KitSteps(options);
  const snapshot = () => steps.during("snapshot()", options.snapshot);
  let before: unknown;
  const unchanged = async () => assert.deepEqual(await snapshot(), before);
  let planned:
    | { routing: Given<RoutingContext<never>>; plan: RoutingPlan }
    | undefined;
  await steps.claim("probe() and plan() change nothing", async () => {
    const routing = await steps.during("routing()", options.routing);
    const { signal } = routing;
    before = await snapshot();
    await steps.during(
      "probe()",
      () => probePlugin(plugin, { kube: world.kube, signal }),
    );
    const plan = await steps.during(
      "plan()",
      () => planRouting(plugin, routing),
    );
    planned = { routing, plan };
    await unchanged();
  });
  if (planned === undefined) return;
  const { routing, plan } = planned;
  let shadow: RoutingShadow | undefined;
  await steps.claim("the Shadow Pod that it wants can be", async () => {
    shadow = await steps.during("shadow()", () => options.shadow(plan));
    before = await snapshot();
  });
  if (shadow === undefined) return;
  const { shadowPod, stuntman } = shadow;
  const { isReachable = () => Promise.resolve(false) } = shadow;
  const route = async (scope: Scope<World>) => {
    const context = {
      ...routing,
      plan,
      signal: scope.signal,
      scope,
      heartbeat: { add() {}, remove() {} },
      shadowPod,
      isReachable,
      ...(stuntman ? { stuntman } : {}),
    };
    await steps.during("prepare()", () => prepareRouting(plugin, context));
    await steps.during("route()", () => routeTraffic(plugin, context));
  };
  const dispose = (scope: Scope<World>) =>
    steps.during("the end of the scope", () => scope.dispose());

  await steps.claim(
    "the end of the scope undoes all that route() did",
    async () => {
      const { scope } = openTestingScope(world);
      await route(scope);
      assert.notDeepEqual(
        await snapshot(),
        before,
        "route() changed nothing: it routes no traffic",
      );
      await dispose(scope);
      await unchanged();
    },
  );

  await steps.claim(
    "route() works a second time, with a new scope",
    async () => {
      const { scope } = openTestingScope(world);
      await route(scope);
      await dispose(scope);
      await unchanged();
    },
  );

  await steps.claim(
    "an abort at any record of the journal leaves nothing behind",
    async () => {
      for (let at = 1;; at++) {
        const { scope, records } = openTestingScope(world, at);
        const finished = await route(scope).then(() => true, () => false);
        await dispose(scope);
        await unchanged();
        if (finished && records.length < at) break;
        assert.ok(at < 100, "route() journals without end");
      }
    },
  );

  await steps.claim(
    "every step is listed, and its revert works from JSON alone, twice",
    async () => {
      const { scope, records, abort } = openTestingScope(world);
      await route(scope);
      abort(); // background tasks end, as they do when the process dies
      const intents = intentsOf(records);
      for (const time of [1, 2]) {
        for (const { step: id, args } of intents) {
          const step = plugin.steps.find((one) => one.id === id);
          assert.ok(
            step,
            `step "${id}" is journalled but not in the plugin's list`,
          );
          assert.ok(
            typeof step.describe(args) === "string",
            `describe() of "${id}" gives no text`,
          );
          assert.ok(
            typeof step.undoCommand(args) === "string",
            `undoCommand() of "${id}" gives no text`,
          );
          await steps.during(
            `revert() of step "${id}"`,
            () => step.revert(args, world, AbortSignal.timeout(30_000)),
          );
        }
        assert.deepEqual(
          await snapshot(),
          before,
          `after revert number ${time}`,
        );
      }
      await dispose(scope);
    },
  );
}

/** What was journalled, as a new process reads it, newest first. */
function intentsOf(
  records: readonly JournalRecord[],
): { step: string; args: Json }[] {
  return JSON.parse(JSON.stringify(records))
    .filter(({ type }: JournalRecord) => type === "intent").reverse();
}
