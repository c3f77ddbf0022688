// What a plugin returns is used when it has its form, and else told as the plugin's defect.
import assert from "node:assert/strict";
import type { KtctlError } from "../../../src/core/errors.ts";
import {
  openTransport,
  planRouting,
  prepareRouting,
  probePlugin,
  readOptions,
  routeTraffic,
  transportNeeds,
  updateTransport,
} from "../../../src/plugins/driver.ts";
import type {
  Plugin,
  Transport,
  TransportPlugin,
} from "../../../src/plugins/plugin.ts";
import { fakeRouting } from "./fake_routing.ts";

const context = {} as never;
const noTransport = {
  name: "fake",
  kind: "transport",
} as TransportPlugin<never>;
const plan = {
  namePrefix: "web",
  config: "",
  fallback: false,
  ready: "always",
};
const circular: Record<string, unknown> = {};
circular.self = circular;

const calls: Record<
  string,
  { run: (value: unknown) => Promise<unknown>; good: unknown[]; bad: unknown[] }
> = {
  probe: {
    run: (value) => probePlugin(fakeRouting({ probe: () => value }), context),
    good: [{ ok: true }, { ok: true, note: "fine" }],
    bad: [undefined, true, {}, { ok: 1 }, { ok: false }, {
      ok: false,
      reason: 7,
    }],
  },
  plan: {
    run: (value) => planRouting(fakeRouting({ plan: () => value }), context),
    good: [plan, { ...plan, labels: { app: "web" }, takesAll: true }],
    bad: [
      undefined,
      { ...plan, ready: "soon" },
      { ...plan, namePrefix: "Web App" },
      { ...plan, name: "-" },
      { ...plan, labels: { app: 1 } },
      { ...plan, fallback: undefined },
    ],
  },
  prepare: {
    run: (value) =>
      prepareRouting(fakeRouting({ prepare: () => value }), context),
    good: [undefined, {}, { fallbackHost: "10.0.0.1" }],
    bad: [null, "10.0.0.1", { fallbackHost: 1 }],
  },
  route: {
    run: (value) => routeTraffic(fakeRouting({ route: () => value }), context),
    good: [undefined, {}, { message: "hi", details: { a: [1, null] } }],
    bad: [
      { message: 1 },
      { message: "x".repeat(3_000) },
      { output: new Uint8Array(1) },
      { details: circular },
      { details: { a: 1n } },
      { details: "text" },
      { details: { a: "x".repeat(1 << 17) } },
    ],
  },
  needs: {
    run: (value) =>
      transportNeeds(
        { ...noTransport, needs: () => value as never },
        undefined as never,
      ),
    good: [{ dns: "none", captures: false }],
    bad: [undefined, {}, { dns: "mine", captures: true }],
  },
  open: {
    run: (value) =>
      openTransport({ ...noTransport, open: () => value as never }, context),
    good: [{}, { update: () => {}, device: "tun0" }],
    bad: [undefined, { update: true }, { device: 0 }],
  },
  options: {
    run: (value) =>
      readOptions(
        fakeRouting({
          options: { "~standard": { validate: () => value } },
        }) as Plugin,
        {},
      ),
    good: [{ value: 1 }, { value: undefined, issues: undefined }],
    bad: [undefined, { issues: "no" }, { issues: [{}] }],
  },
};

for (const [hook, { run, good, bad }] of Object.entries(calls)) {
  Deno.test(`${hook}() may return what it should, and nothing else`, async () => {
    for (const value of good) await run(value);
    for (const value of bad) {
      await assert.rejects(
        run(value),
        ({ code, message, exitCode }: KtctlError) => {
          assert.equal(code, "PLUGIN_RESULT_INVALID");
          assert.ok(message.includes(`"fake" returned from ${hook}()`));
          assert.equal(exitCode, 8);
          return true;
        },
      );
    }
  });
}

Deno.test("a transport may be an instance of a class", async () => {
  class Mine implements Transport {
    cidrs: readonly string[] = [];
    update(cidrs: readonly string[]) {
      this.cidrs = cidrs;
      return Promise.resolve();
    }
  }
  const mine = new Mine();
  const plugin = { ...noTransport, open: () => mine };
  const opened = await openTransport(plugin, context);
  const wanted = { cidrs: ["10.0.0.0/8"], servers: [] };
  assert.ok(await updateTransport(plugin, opened, wanted));
  assert.deepEqual(mine.cidrs, wanted.cidrs);
});
