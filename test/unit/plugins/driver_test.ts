import assert from "node:assert/strict";
import { mock } from "node:test";
import {
  ConflictError,
  PluginError,
  type UnsupportedError,
  UsageError,
} from "../../../src/core/errors.ts";
import type { KubeApi } from "../../../src/kube/kube_api.ts";
import {
  planRouting,
  probePlugin,
  readOptions,
  routeTraffic,
} from "../../../src/plugins/driver.ts";
import type {
  ProbeContext,
  RouteContext,
  RoutingContext,
} from "../../../src/plugins/plugin.ts";
import { openTestingScope } from "../../../src/plugins/kit/testing_scope.ts";
import { fakeRouting } from "./fake_routing.ts";

const context = {} as RoutingContext<never>;

Deno.test("what a plugin throws names the plugin and the hook", async () => {
  const plugin = fakeRouting({
    plan: () => Promise.reject(new TypeError("x is undefined")),
  });
  await assert.rejects(planRouting(plugin, context), (error: PluginError) => {
    assert.equal(error.code, "PLUGIN_THREW");
    assert.match(error.message, /"fake" failed in plan\(\): x is undefined/);
    assert.ok(error.cause instanceof TypeError);
    return true;
  });
});

Deno.test("what a plugin throws at once is wrapped as well", async () => {
  const plugin = fakeRouting({
    plan: () => {
      throw new TypeError("x");
    },
  });
  await assert.rejects(planRouting(plugin, context), PluginError);
});

Deno.test("an error written for the user passes as it is", async () => {
  const error = new ConflictError("TAKEN", "Cannot take it");
  const plugin = fakeRouting({ plan: () => Promise.reject(error) });
  await assert.rejects(planRouting(plugin, context), error);
});

Deno.test("a plugin that does not return is reported by name and hook", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const plugin = fakeRouting({ plan: () => new Promise(() => {}) });
    const planned = planRouting(plugin, context);
    mock.timers.tick(30_000);
    await assert.rejects(planned, (error: PluginError) => {
      assert.equal(error.code, "PLUGIN_HUNG");
      assert.match(
        error.message,
        /"fake" did not return from plan\(\) within 30 s/,
      );
      return true;
    });
  } finally {
    mock.timers.reset();
  }
});

Deno.test("a probe that says no is told with its reason and its hint", async () => {
  const plugin = fakeRouting({
    probe: () =>
      Promise.resolve({ ok: false, reason: "no moon", hint: "Wait" }),
  });
  await assert.rejects(
    probePlugin(plugin, {} as ProbeContext),
    (error: UnsupportedError) => {
      assert.match(error.message, /"fake" cannot work here: no moon/);
      assert.equal(error.hint, "Wait");
      return true;
    },
  );
});

Deno.test("options go through the plugin's own schema", async () => {
  const plugin = fakeRouting({
    options: {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: (value: { port?: string }) =>
          value.port === undefined
            ? { issues: [{ message: "port is missing" }] }
            : { value: { port: Number(value.port) } },
      },
    },
  });
  assert.deepEqual(await readOptions(plugin, { port: "7" }), { port: 7 });
  await assert.rejects(readOptions(plugin, {}), (error: UsageError) => {
    assert.deepEqual(error.details, ["port is missing"]);
    return true;
  });
  await assert.rejects(readOptions(fakeRouting({}), { x: "1" }), UsageError);
});

Deno.test("a plugin that goes on after the command's end is waited for so long, and no longer", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const end = new AbortController();
    const plugin = fakeRouting({ plan: () => new Promise(() => {}) });
    const planned = planRouting(
      plugin,
      { signal: end.signal } as RoutingContext<never>,
    );
    end.abort();
    mock.timers.tick(10_000);
    await assert.rejects(planned, { code: "PLUGIN_HUNG" });
  } finally {
    mock.timers.reset();
  }
});

Deno.test("what goes wrong in a background task of a plugin ends the command as the plugin's", async () => {
  for (
    const [task, code] of [
      [() => Promise.reject(new TypeError("x")), "PLUGIN_THREW"],
      [() => Promise.reject(new ConflictError("TAKEN", "Gone")), "TAKEN"],
    ] as const
  ) {
    const { scope } = openTestingScope({ kube: {} as KubeApi });
    const plugin = fakeRouting({
      route: ({ scope }: RouteContext) => scope.background("watch", task),
    });
    await routeTraffic(
      plugin,
      { ...context, scope } as unknown as RouteContext<never>,
    );
    await assert.rejects(scope.failed, { code });
    await scope.dispose();
  }
});
