/**
 * The conformance kit: what every routing plugin must do, proven on a real cluster.
 */
import assert from "node:assert/strict";
import type { JournalRecord } from "../core/journal.ts";
import type { Json } from "../core/json.ts";
import type { Scope } from "../core/scope.ts";
import type { World } from "../kube/world.ts";
import {
  attachRouting,
  planRouting,
  prepareRouting,
  probePlugin,
} from "./driver.ts";
import type { AttachContext, RoutingContext, RoutingPlugin } from "./plugin.ts";
import { openTestingScope } from "./testing_scope.ts";

export interface RoutingTestOptions {
  readonly plugin: RoutingPlugin<never>;
  readonly world: World;
  /** A context for a target that the plugin can take; a Shadow Pod with its labels should run. */
  readonly context: () => Promise<
    { routing: RoutingContext<never>; shadowPod: string; stuntman?: string }
  >;
  /** All that the plugin might change, in a form that compares equal when nothing was changed. */
  readonly snapshot: () => Promise<unknown>;
  /** Registers one claim; `Deno.test`'s `t.step`. */
  readonly step: (claim: string, run: () => Promise<void>) => Promise<unknown>;
}

/** Runs the kit; each claim is one step. */
export async function testRouting(options: RoutingTestOptions): Promise<void> {
  const { plugin, world, snapshot, step } = options;
  const before = await snapshot();
  const unchanged = async () => assert.deepEqual(await snapshot(), before);
  const { routing, shadowPod, stuntman } = await options.context();
  const attach = async (scope: Scope<World>) => {
    const context: AttachContext<never> = {
      ...routing,
      scope,
      heartbeat: { add() {}, remove() {} },
      shadowPod,
      ...(stuntman ? { stuntman } : {}),
    };
    await prepareRouting(plugin, context);
    await attachRouting(plugin, context);
  };

  await step("probe() and plan() change nothing", async () => {
    await probePlugin(plugin, { kube: world.kube, signal: routing.signal });
    await planRouting(plugin, routing);
    await unchanged();
  });

  await step(
    "the end of the scope takes back all that attach() did",
    async () => {
      const scope = openTestingScope(world);
      await attach(scope.scope);
      assert.notDeepEqual(
        await snapshot(),
        before,
        "attach() changed nothing: it routes no traffic",
      );
      await scope.scope.dispose();
      await unchanged();
    },
  );

  await step("attach() works a second time, with a new scope", async () => {
    const scope = openTestingScope(world);
    await attach(scope.scope);
    await scope.scope.dispose();
    await unchanged();
  });

  await step(
    "an abort at any record of the journal leaves nothing behind",
    async () => {
      for (let at = 1;; at++) {
        const scope = openTestingScope(world, at);
        const finished = await attach(scope.scope).then(
          () => true,
          () => false,
        );
        await scope.scope.dispose();
        await unchanged();
        if (finished && scope.records.length < at) {
          break;
        }
        assert.ok(at < 100, "attach() journals without end");
      }
    },
  );

  await step(
    "every step is listed, and its revert works from JSON alone, twice",
    async () => {
      const scope = openTestingScope(world);
      await attach(scope.scope);
      const steps = new Map(plugin.steps.map((one) => [one.id, one]));
      const intents: { step: string; args: Json }[] = JSON.parse(
        JSON.stringify(scope.records),
      )
        .filter((record: JournalRecord) => record.type === "intent").reverse();
      scope.abort(); // background tasks end, as they do when the process dies
      for (const time of [1, 2]) {
        for (const { step: id, args } of intents) {
          const step = steps.get(id);
          assert.ok(
            step,
            `step "${id}" is journalled but not in the plugin's list`,
          );
          await step.revert(args, world, AbortSignal.timeout(30_000));
        }
        assert.deepEqual(
          await snapshot(),
          before,
          `after revert number ${time}`,
        );
      }
      await scope.scope.dispose();
    },
  );
}
