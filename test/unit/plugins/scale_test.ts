import assert from "node:assert/strict";
import type {
  RouteContext,
  RoutingPlugin,
} from "../../../src/plugins/plugin.ts";
import scale from "../../../src/plugins/routing/scale.ts";
import { UsageError } from "../../../src/core/errors.ts";
import { readOptions } from "../../../src/plugins/driver.ts";
import type {
  KubeObject,
  Resource,
  WatchEvent,
} from "../../../src/kube/kube_api.ts";
import { MemoryKube } from "../../fakes/memory_kube.ts";
import { own } from "../cluster/leftovers.ts";

const plugin = scale as RoutingPlugin<never>;
const service = own("Service", "web", {
  selector: { app: "web" },
  ports: [{ port: 80, targetPort: 8080, protocol: "TCP" }],
});

class DeploymentKube extends MemoryKube {
  services: KubeObject[] = [];

  override list(resource?: Resource): Promise<KubeObject[]> {
    const kinds: Record<string, KubeObject[]> = {
      Deployment: [this.object!],
      Service: this.services,
    };
    return Promise.resolve(kinds[resource?.kind ?? ""] ?? []);
  }

  override find(ref: { resource: Resource; name: string }) {
    return ref.name === "web" && ref.resource.kind === "Deployment"
      ? super.find(ref)
      : Promise.resolve(undefined);
  }

  async get(ref: { resource: Resource; name: string }): Promise<KubeObject> {
    return (await this.find(ref))!;
  }
}

function deployment(uid: string): KubeObject {
  const object = own("Deployment", "web", {
    replicas: 2,
    template: { metadata: { labels: { app: "web" } } },
  });
  object.metadata.uid = uid;
  object.metadata.resourceVersion = "1";
  return object;
}

for (const byName of [false, true]) {
  Deno.test(`a Deployment that was made anew since the plan is not scaled (${byName ? "named by the user" : "found behind the Service"})`, async () => {
    const kube = new DeploymentKube(deployment("first"));
    const ran: string[] = [];
    const context = {
      options: { keepReplicas: 0 },
      kube: kube.api,
      session: `session-${byName}`,
      target: {
        service,
        ...(byName ? { deployment: deployment("first") } : {}),
      },
      shadowLabels: { "kt-target": "AbC" },
      user: "alice",
      signal: new AbortController().signal,
      log: { warn: () => {}, debug: () => {}, info: () => {} },
      scope: {
        defer: () => {},
        run: ({ id }: { id: string }) => ran.push(id),
        signal: new AbortController().signal,
      },
    } as unknown as RouteContext<never>;
    const plan = await plugin.plan(context);
    const planned = { ...context, plan };
    await plugin.plan(planned);
    kube.object = deployment("second");
    for (const again of [plugin.plan, plugin.route]) {
      await assert.rejects(async () => await again(planned), {
        code: "DEPLOYMENT_CHANGED",
        message: /made anew/,
      });
    }
    assert.deepEqual(ran, []);
  });
}

Deno.test("a Deployment is not scaled where another Service of its pods was exchanged since the plan", async () => {
  const kube = new DeploymentKube(deployment("first"));
  const ran: string[] = [];
  const context = {
    options: { keepReplicas: 0 },
    kube: kube.api,
    session: "session-raced",
    target: { service },
    shadowLabels: { "kt-target": "AbC" },
    user: "bob",
    signal: new AbortController().signal,
    log: { warn: () => {}, debug: () => {}, info: () => {} },
    scope: {
      defer: () => {},
      run: ({ id }: { id: string }) => Promise.resolve(void ran.push(id)),
      signal: new AbortController().signal,
    },
  } as unknown as RouteContext<never>;
  const plan = await plugin.plan(context);
  const twin = own("Service", "twin", {
    selector: { "kt-role": "shadow-exchange", "kt-target": "XyZ" },
  });
  twin.metadata.annotations = {
    "kt-selector": '{"app":"web"}',
    "ktctl.dev/held-by": "alice",
  };
  kube.services = [service, twin];
  await assert.rejects(async () => await plugin.route({ ...context, plan }), {
    code: "SERVICE_ALREADY_EXCHANGED",
    message: /"twin": alice has exchanged it/,
  });
  assert.deepEqual(ran, ["kube.object"]); // the record, which goes with the scope
});

Deno.test("who scales a Deployment down is told which other Services lose its pods", async () => {
  const kube = new DeploymentKube(deployment("first"));
  const told: string[] = [];
  const twin = own("Service", "twin", { selector: { app: "web" } });
  const foreign = own("Service", "foreign", { selector: { app: "other" } });
  kube.services = [service, twin, foreign];
  const context = {
    options: { keepReplicas: 0 },
    kube: kube.api,
    session: "session-twin",
    target: { service },
    shadowLabels: { "kt-target": "AbC" },
    signal: new AbortController().signal,
    log: {
      warn: (code: string, text: string) => told.push(`${code} ${text}`),
      debug: () => {},
      info: () => {},
    },
  } as unknown as RouteContext<never>;
  await plugin.plan(context);
  assert.equal(told.length, 1);
  assert.match(
    told[0]!,
    /^SERVICES_SHARE_PODS .* behind Service "twin" as well/,
  );
});

/** The Deployment goes through these events while it is watched. */
class WatchedKube extends DeploymentKube {
  events: WatchEvent[] = [];

  async *watch(): AsyncGenerator<WatchEvent> {
    yield* structuredClone(this.events);
    await Promise.resolve();
  }
}

function scaled(uid: string, replicas: number): KubeObject {
  const object = deployment(uid);
  object.spec = { ...object.spec, replicas };
  return object;
}

const SYNCED = { type: "SYNCED" } as const;
const OURS = { type: "ADDED", object: scaled("first", 0) } as const;
const GONE = { type: "DELETED", object: scaled("first", 0) } as const;
const ANEW = { type: "ADDED", object: scaled("second", 2) } as const;
const UP = { type: "MODIFIED", object: scaled("first", 3) } as const;

const CHANGES: readonly (readonly [string, WatchEvent[], RegExp[]])[] = [
  ["is left alone", [OURS, SYNCED], []],
  ["is deleted", [OURS, SYNCED, GONE], [/^DEPLOYMENT_DELETED .*nothing to/]],
  ["was deleted before", [SYNCED], [/^DEPLOYMENT_DELETED/]],
  ["is made anew", [OURS, SYNCED, GONE, ANEW, { ...ANEW, type: "MODIFIED" }], [
    /^DEPLOYMENT_DELETED/,
    /^DEPLOYMENT_REPLACED Deployment "web" was made anew.*left alone/,
  ]],
  ["was made anew before", [ANEW, SYNCED], [/^DEPLOYMENT_REPLACED/]],
  ["is scaled up", [OURS, SYNCED, UP, UP], [/^DEPLOYMENT_SCALED/]],
];

for (const [what, events, says] of CHANGES) {
  Deno.test(`of a scaled Deployment that ${what} the session tells ${says.length === 0 ? "nothing" : "so, once"}`, async () => {
    const kube = new WatchedKube(deployment("first"));
    const told: string[] = [];
    const tasks: (() => Promise<void>)[] = [];
    const { signal } = new AbortController();
    const context = {
      options: { keepReplicas: 0 },
      kube: kube.api,
      session: "s1",
      target: { service },
      shadowLabels: { "kt-target": "AbC" },
      user: "alice",
      signal,
      log: {
        warn: (code: string, text: string) => told.push(`${code} ${text}`),
        debug: () => {},
        info: () => {},
      },
      scope: {
        signal,
        defer: () => {},
        run: () => Promise.resolve(),
        background: (_name: string, task: () => Promise<void>) =>
          tasks.push(task),
      },
    } as unknown as RouteContext<never>;
    const plan = await plugin.plan(context);
    kube.events = [SYNCED];
    await plugin.route({ ...context, plan });
    kube.events = events;
    for (const task of tasks) await task();
    assert.equal(told.length, says.length, told.join("; "));
    says.forEach((one, at) => assert.match(told[at]!, one));
  });
}

/** A session on a Deployment of two replicas, with what it ran, told and deferred. */
function keeping(keepReplicas: number, kube: DeploymentKube) {
  const log: string[] = [];
  const { signal } = new AbortController();
  const context = {
    options: { keepReplicas },
    kube: kube.api,
    session: "s1",
    target: { service },
    shadowLabels: { "kt-target": "AbC" },
    user: "alice",
    signal,
    log: { warn: (code: string) => log.push(code), debug() {}, info() {} },
    scope: {
      signal,
      defer: (name: string) => log.push(name),
      run: ({ id }: { id: string }, args: Record<string, unknown>) =>
        Promise.resolve(void log.push(`${id} ${args["kept"] ?? ""}`.trim())),
      background: () => {},
    },
  } as unknown as RouteContext<never>;
  return { context, log };
}

/** Knows a Service, and that all of its endpoints are the Shadow Pod. */
class KeepingKube extends DeploymentKube {
  override async get(ref: { resource: Resource; name: string }) {
    return ref.resource.kind === "Service"
      ? structuredClone(service)
      : await super.get(ref);
  }

  async *watch(): AsyncGenerator<WatchEvent> {
    yield SYNCED;
    yield { type: "DELETED", object: service };
    await Promise.resolve();
  }
}

Deno.test("with some replicas kept the traffic goes first, and at the end the pods are waited for before it comes back", async () => {
  const { context, log } = keeping(1, new KeepingKube(deployment("first")));
  const plan = await plugin.plan(context);
  assert.equal(plan.fallback, true);
  assert.equal(plan.ready, "always");
  assert.equal(plan.labels, undefined);
  assert.equal(plan.namePrefix, "web");
  assert.equal(plan.config, "service=web,app=web,replicas=2");
  const routed = await plugin.route({ ...context, plan });
  assert.deepEqual(log, [
    "kube.object",
    "service.selector",
    "wait for the original pods",
    "deployment.replicas 1",
  ]);
  assert.deepEqual(routed, {
    message:
      'Deployment "web" keeps 1 of 2 replicas, which answers while this laptop does not',
    details: { replicas: 2, keptReplicas: 1 },
  });
});

for (const keep of [2, 7]) {
  Deno.test(`a Deployment of 2 that keeps ${keep} is not scaled, and the Service is switched`, async () => {
    const { context, log } = keeping(
      keep,
      new KeepingKube(deployment("first")),
    );
    const plan = await plugin.plan(context);
    assert.equal(plan.config, "service=web");
    const routed = await plugin.route({ ...context, plan });
    assert.deepEqual(log, ["service.selector"]);
    assert.match(routed!.message!, /keeps 2 of 2 replicas, which answer /);
  });
}

Deno.test("with no replica kept the Deployment is scaled to 0, the Service stays, and that nothing answers is said", async () => {
  const { context, log } = keeping(0, new KeepingKube(deployment("first")));
  const plan = await plugin.plan(context);
  assert.equal(plan.fallback, false);
  assert.equal(plan.ready, "attached");
  assert.deepEqual(plan.labels, { app: "web" });
  assert.equal(plan.config, "app=web,replicas=2");
  const routed = await plugin.route({ ...context, plan });
  assert.deepEqual(log, [
    "wait for the original pods",
    "kube.object",
    "deployment.replicas 0",
  ]);
  assert.match(routed!.message!, /keeps 0 of 2 replicas: nothing answers /);
});

Deno.test("a Deployment without replicas keeps none, and that is said", async () => {
  const { context, log } = keeping(1, new KeepingKube(scaled("first", 0)));
  const plan = await plugin.plan(context);
  assert.equal(plan.fallback, false);
  assert.deepEqual(log, ["NO_REPLICAS"]);
});

Deno.test("a Service with a port that is not TCP is refused where its selector would be switched", async () => {
  const ports = [
    ...service.spec.ports,
    { port: 53, targetPort: 53, protocol: "UDP" },
  ];
  const mixed = { ...service, spec: { ...service.spec, ports } };
  const planOf = async (keepReplicas: number) => {
    const { context } = keeping(keepReplicas, new KeepingKube(deployment("a")));
    return await plugin.plan({ ...context, target: { service: mixed } });
  };
  await assert.rejects(planOf(1), {
    code: "UDP_PORT",
    hint: "Move that port to a Service of its own, or use --keepReplicas 0.",
  });
  assert.equal((await planOf(0)).fallback, false);
});

for (const text of ["many", "-1", "1.5", "", "1e3"]) {
  Deno.test(`--keepReplicas "${text}" is refused before anything is planned`, async () => {
    await assert.rejects(
      readOptions(scale, { keepReplicas: text }),
      (error: unknown) =>
        error instanceof UsageError &&
        error.details[0] ===
          `Cannot read --keepReplicas "${text}": it must be a whole number, 0 or more`,
    );
  });
}

Deno.test("one replica is kept where nothing else is said", async () => {
  assert.deepEqual(await readOptions(scale, {}), { keepReplicas: 1 });
});
