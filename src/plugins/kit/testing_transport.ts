/**
 * The conformance kit: what every transport plugin must do, proven on a real machine.
 */
import assert from "node:assert/strict";
import type { Duplex } from "node:stream";
import type { KubeApi } from "../../kube/kube_api.ts";
import {
  openTransport,
  probePlugin,
  readOptions,
  transportNeeds,
  updateTransport,
} from "../driver.ts";
import { type KitStep, KitSteps } from "./kit_steps.ts";
import type {
  ClusterLink,
  RootHelper,
  TransportDns,
  TransportPlugin,
} from "../plugin.ts";
import { assertEcho, assertNoWay, type EchoTarget } from "./testing_echo.ts";
import { openTestingScope } from "./testing_scope.ts";

/** Rights of one opening; disposed of by its scope, after all that the plugin has in it. */
export type TestedRoot = RootHelper & AsyncDisposable;

export interface TransportTestOptions {
  readonly plugin: TransportPlugin<never>;
  /** The plugin's own, as its flags give them. */
  readonly options?: Readonly<Record<string, string>>;
  readonly kube: KubeApi;
  /** Leads to the targets below, and refuses the one that is to be refused. */
  readonly link: ClusterLink;
  readonly root: (signal: AbortSignal) => TestedRoot;
  readonly dns?: TransportDns;
  /** Addresses to capture; the targets are among them. */
  readonly cidrs: readonly string[];
  /** Gives back what it gets, and ends when its client has. */
  readonly echo: EchoTarget;
  readonly refused: EchoTarget;
  /** An echo outside of `cidrs`, in a range that comes later. Left out where nothing is captured. */
  readonly added?: EchoTarget & { readonly cidr: string };
  /**
   * A connection with half-close, as an application of this machine makes it. Rejects at once where
   * there is no way: while the plugin is not open, that is at every target.
   */
  readonly dial: (target: EchoTarget) => Promise<Duplex>;
  /** All that the plugin might change, in a form that compares equal when nothing was changed. */
  readonly snapshot: () => Promise<unknown>;
  readonly step: KitStep;
  /** How long one claim may take. @default 180000 */
  readonly stepTimeoutMs?: number;
}

/** Runs the kit; each claim is one step, which fails where it does not end in time. */
export async function testTransport(
  test: TransportTestOptions,
): Promise<void> {
  const { plugin, kube, cidrs, echo, refused, added } = test;
  const steps = new KitSteps(test);
  const snapshot = () => steps.during("snapshot()", test.snapshot);
  const dial = (target: EchoTarget) =>
    steps.during("dial()", () => test.dial(target));
  const dispose = (scope: { dispose(): Promise<void> }) =>
    steps.during("the end of the scope", () => scope.dispose());
  const options = await readOptions(plugin, test.options ?? {});
  let before: unknown;
  const isSeen = await steps.claim("the machine can be seen", async () => {
    before = await snapshot();
  });
  if (!isSeen) return;
  const isAsBefore = async () => {
    assert.deepEqual(await snapshot(), before);
    await assertNoWay(dial, echo);
  };
  const open = async () => {
    const { scope, opened } = beginOpen(test, options);
    const transport = await steps.during("open()", () => opened);
    const end = async () => {
      await dispose(scope);
      await isAsBefore();
    };
    return { transport, end };
  };

  await steps.claim("needs() and probe() change nothing", async () => {
    const { scope } = openTestingScope({ kube });
    const { signal } = scope;
    const root = scope.use(test.root(signal));
    const needs = await transportNeeds(plugin, options);
    await probePlugin(plugin, { kube, signal, root, options });
    await isAsBefore();
    assert.deepEqual(await transportNeeds(plugin, options), needs);
    await dispose(scope);
    await isAsBefore();
  });

  for (const which of ["open()", "open(), a second time,"]) {
    await steps.claim(
      `${which} carries bytes both ways, and half-closes, until the scope ends`,
      async () => {
        const { end } = await open();
        await assertEcho(dial, echo);
        await end();
      },
    );
  }

  await steps.claim(
    "an application is told what the cluster refuses",
    async () => {
      const { end } = await open();
      await assertNoWay(dial, refused);
      await assertEcho(dial, echo);
      await end();
    },
  );

  if (added !== undefined) {
    await steps.claim(
      "update() puts other ranges in place of the former",
      async () => {
        const { transport, end } = await open();
        await assertNoWay(dial, added);
        const servers = test.dns?.servers ?? [];
        const update = (wanted: readonly string[]) =>
          steps.during(
            "update()",
            () =>
              updateTransport(plugin, transport, { cidrs: wanted, servers }),
          );
        assert.ok(await update([...cidrs, added.cidr]), "there is no update()");
        for (const target of [added, echo]) await assertEcho(dial, target);
        await update(cidrs);
        await assertNoWay(dial, added);
        await assertEcho(dial, echo);
        await end();
      },
    );
  }

  await steps.claim("the scope's end waits for no connection", async () => {
    const { end } = await open();
    const held = await dial(echo);
    held.on("error", () => {}); // cut, as it should be
    held.write("x");
    await steps.during(
      "the echo of a byte",
      () => new Promise((resolve) => held.once("data", resolve)),
    );
    await end();
    held.destroy();
  });

  await steps.claim(
    "an abort at any moment of open() leaves nothing",
    async () => {
      for (let at = 0;; at++) {
        const { scope, opened, moments } = beginOpen(test, options, at);
        await steps.during("open()", () => opened).catch(() => {});
        await dispose(scope);
        await isAsBefore();
        if (moments() <= at) break;
        assert.ok(at < 100, "open() calls for root without end");
      }
    },
  );
}

/** Begins to open it; aborted at the moment number `abortAt`: moments are around its calls for root. */
function beginOpen(
  { plugin, kube, link, cidrs, dns, root }: TransportTestOptions,
  options: never,
  abortAt = Infinity,
) {
  const { scope, abort } = openTestingScope({ kube });
  const { signal } = scope;
  const rights = scope.use(root(signal));
  let count = 0;
  const pass = () => {
    if (count++ === abortAt) abort();
  };
  const watched: RootHelper = {
    async open(...call) {
      pass();
      const opened = await rights.open(...call);
      pass();
      return opened as never;
    },
  };
  const opened = openTransport(plugin, {
    options,
    link,
    cidrs,
    session: "kitsession",
    signal,
    scope,
    root: watched,
    log: { info() {}, warn() {}, debug() {} },
    ...(dns && { dns }),
  });
  pass();
  return { scope, opened, moments: () => count };
}
