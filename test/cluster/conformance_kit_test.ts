// The conformance kit finds out a plugin that breaks a promise.
import assert from "node:assert/strict";
import { openTestCluster } from "./cluster.ts";
import { connectKube } from "../../src/kube/connect_kube.ts";
import type { KubeApi } from "../../src/kube/kube_api.ts";
import { SERVICES } from "../../src/kube/resources.ts";
import type {
  RouteContext,
  RoutingContext,
  RoutingPlugin,
  Step,
  World,
} from "../../src/plugins/plugin.ts";
import { testRouting } from "../../src/plugins/kit/kits.ts";
import { DEFAULT_POD } from "../../src/cluster/pod/pod_options.ts";

type NoteArgs = { service: string; text: string };
type Note = Step<NoteArgs, undefined, void, World>;

async function annotate(
  kube: KubeApi,
  service: string,
  annotations: Record<string, string | null>,
): Promise<void> {
  const patch = { metadata: { annotations } };
  await kube.patch({ resource: SERVICES, name: service }, patch);
}

const note: Note = {
  id: "note",
  describe: ({ service }) => `note on Service "${service}"`,
  undoCommand: ({ service }) => `kubectl annotate service ${service} note-`,
  apply: ({ service, text }, _, { kube }) =>
    annotate(kube, service, { note: text }),
  revert: ({ service }, { kube }) => annotate(kube, service, { note: null }),
};

const nameOf = ({ target }: RoutingContext<undefined>) =>
  target.service.metadata.name;

/** `route()` that makes one change as it should, by `step`. */
const routeWith = (step: Note) => (context: RouteContext<undefined>) =>
  context.scope.run(step, { service: nameOf(context), text: "a" }, undefined);

/** Keeps every promise. */
const sound: RoutingPlugin<undefined> = {
  kind: "routing",
  apiVersion: 1,
  name: "note",
  summary: "leaves a note on the Service",
  verbs: ["exchange"],
  steps: [note],
  probe: () => Promise.resolve({ ok: true }),
  plan: (context) =>
    Promise.resolve({
      namePrefix: nameOf(context),
      config: "",
      fallback: false,
      ready: "always",
    }),
  route: routeWith(note),
};

const withStep = (step: Note): RoutingPlugin<undefined> => ({
  ...sound,
  steps: [step],
  route: routeWith(step),
});

/** Changes the Service behind the scope's back. */
const scribble = (context: RoutingContext<undefined>) =>
  annotate(context.kube, nameOf(context), { scribble: crypto.randomUUID() });

let routedTimes = 0;

/** A plugin in JavaScript may put a Date into its arguments; after a restart it is a string. */
const dated = {
  ...note,
  apply: (
    args: NoteArgs & { at?: Date },
    _: undefined,
    { kube }: World,
  ) => {
    args.at = new Date();
    return annotate(kube, args.service, { note: args.text });
  },
  revert: (args: NoteArgs & { at: Date }, { kube }: World) => {
    const late = args.at.getTime() > Date.now();
    return annotate(kube, args.service, { note: late ? "late" : null });
  },
};

const broken: Record<
  string,
  { plugin: RoutingPlugin<undefined>; claim: RegExp }
> = {
  "changes something in probe()": {
    plugin: {
      ...sound,
      probe: async ({ kube }) => {
        const services = await kube.list(SERVICES);
        const names = services.map(({ metadata }) => metadata.name);
        await Promise.all(
          names.map((name) => annotate(kube, name, { probed: "yes" })),
        );
        return { ok: true };
      },
    },
    claim: /^probe\(\) and plan\(\) change nothing$/,
  },
  "changes something in plan()": {
    plugin: {
      ...sound,
      plan: async (context) => {
        await scribble(context);
        return await sound.plan(context);
      },
    },
    claim: /^probe\(\) and plan\(\) change nothing$/,
  },
  "does nothing in route()": {
    plugin: { ...sound, route: () => Promise.resolve() },
    claim: /undoes all that route\(\) did$/,
  },
  "changes something that the scope does not know of": {
    plugin: { ...sound, route: scribble },
    claim: /undoes all that route\(\) did$/,
  },
  "reverts nothing": {
    plugin: withStep({ ...note, revert: () => Promise.resolve() }),
    claim: /undoes all that route\(\) did$/,
  },
  "can route only once": {
    plugin: {
      ...sound,
      route: async (context) => {
        if (routedTimes++ > 0) throw new Error("routed already");
        await sound.route(context);
      },
    },
    claim: /^route\(\) works a second time/,
  },
  "takes an abort for a failure that it can work around": {
    plugin: {
      ...sound,
      route: async (context) => {
        try {
          await sound.route(context);
        } catch {
          await scribble(context);
        }
      },
    },
    claim: /^an abort at any record/,
  },
  "journals no step": {
    plugin: {
      ...sound,
      route: async (context) => {
        context.scope.defer(
          "note",
          () => annotate(context.kube, nameOf(context), { scribble: null }),
        );
        await scribble(context);
      },
    },
    claim: /^every step is listed/,
  },
  "does not list its steps": {
    plugin: { ...sound, steps: [] },
    claim: /^every step is listed/,
  },
  "cannot revert twice": {
    plugin: withStep({
      ...note,
      revert: async ({ service }, { kube }) => {
        const { metadata } = await kube.get({
          resource: SERVICES,
          name: service,
        });
        if (metadata.annotations?.["note"] === undefined) {
          throw new Error("reverted already");
        }
        await annotate(kube, service, { note: null });
      },
    }),
    claim: /^every step is listed/,
  },
  "keeps in its arguments what JSON does not": {
    plugin: withStep(dated as unknown as Note),
    claim: /^every step is listed/,
  },
};

Deno.test("the conformance kit finds out a plugin that", async (t) => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  const controller = new AbortController();
  const { signal } = controller;
  const kube = await connectKube({
    kubeconfig: cluster.kubeconfig,
    namespace: namespace.name,
    signal,
  });
  /** The claims that do not hold, in their order. */
  const refuted = async (
    plugin: RoutingPlugin<undefined>,
  ): Promise<string[]> => {
    const service = await kube.create(SERVICES, {
      metadata: { name: `s-${crypto.randomUUID()}` },
      spec: { selector: { app: "none" }, ports: [{ port: 80 }] },
    });
    const { name } = service.metadata;
    const routing = {
      verb: "exchange" as const,
      options: undefined,
      target: { service },
      kube,
      signal,
      log: { info() {}, warn() {}, debug() {} },
      shadowLabels: { "kt-role": "shadow-exchange", "kt-target": "kitkit" },
      user: "tester",
      session: "kitsession",
      pod: DEFAULT_POD,
      podTimeoutMs: 60_000,
      recoverWaitMs: 0,
    };
    const failed: string[] = [];
    await testRouting({
      plugin,
      world: { kube },
      routing: () => Promise.resolve(routing),
      shadow: () => Promise.resolve({ shadowPod: "none" }),
      snapshot: async () =>
        (await kube.get({ resource: SERVICES, name })).metadata.annotations,
      step: (claim, run) => run().catch(() => failed.push(claim)),
    });
    await kube.delete({ resource: SERVICES, name });
    return failed;
  };
  await t.step("keeps every promise, for nothing", async () => {
    assert.deepEqual(await refuted(sound), []);
  });
  for (const [title, { plugin, claim }] of Object.entries(broken)) {
    await t.step(title, async () => {
      const [first] = await refuted(plugin);
      assert.match(first ?? "nothing was found out", claim);
    });
  }
  controller.abort();
});
