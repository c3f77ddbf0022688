// What the original ktctl leaves in a cluster, object by object as it makes them.
import type { TestNamespace } from "./cluster.ts";
import type { KubeObject } from "./snapshot.ts";

const APPS = "/apis/apps/v1";

export const OLD_SECONDS = 10 * 60;

export interface LeftoverOptions {
  /** Age of every heartbeat; 0 is a session that lives. @default ten minutes */
  readonly ageSeconds?: number;
  readonly user?: string;
}

type Labels = Record<string, string>;

/** 20 letters, as the original draws them; told apart by `seed`. */
export function target(seed: string): string {
  const letters = seed.replace(/[^a-zA-Z]/g, "");
  return letters.repeat(Math.ceil(20 / letters.length)).slice(0, 20);
}

/**
 * `exchange` by selector: the Service leads to a Shadow Pod, which may be gone by now. With
 * `asDeployment` the shadow is a Deployment (`--useShadowDeployment`).
 */
export async function exchangeLeftover(
  namespace: TestNamespace,
  service: string,
  options: LeftoverOptions & { podIsGone?: boolean; asDeployment?: boolean } =
    {},
): Promise<void> {
  const labels = {
    "kt-role": "shadow-exchange",
    "kt-target": target(service),
  };
  const name = `${service}-kt-exchange-abcde`;
  if (!options.podIsGone) {
    await create(namespace, [
      ...shadow({ name, labels, config: `service=${service}`, ...options }),
    ]);
  }
  await switchService(namespace, service, labels);
}

/** `exchange --method scale`: the shadow alone knows the replica count. */
export async function scaleLeftover(
  namespace: TestNamespace,
  deployment: string,
  options: LeftoverOptions & { matchLabels: Labels; replicas: number },
): Promise<void> {
  const { matchLabels, replicas } = options;
  await create(
    namespace,
    shadow({
      name: `${deployment}-kt-exchange-abcde`,
      labels: { ...matchLabels, "kt-role": "shadow-exchange" },
      config: `app=${deployment},replicas=${replicas}`,
      ...options,
    }),
  );
  await namespace.request("PATCH", `${APPS}/deployments/${deployment}/scale`, {
    spec: { replicas: 0 },
  });
}

/** `mesh` of one developer: router, stuntman, mesh Service and mesh shadow. */
export async function meshLeftover(
  namespace: TestNamespace,
  service: string,
  options: LeftoverOptions & { selector: Labels },
): Promise<void> {
  const router = { "kt-role": "router", "kt-target": target(`r${service}`) };
  const mesh = { "kt-role": "shadow-mesh", "kt-target": target(`m${service}`) };
  const name = `${service}-kt-mesh-blue`;
  await create(namespace, [
    createdService(`${service}-kt-stuntman`, options.selector, options),
    createdService(name, mesh, options),
    pod({
      name: `${service}-kt-router`,
      labels: router,
      config: `service=${service}`,
      ...options,
    }),
    ...shadow({ name, labels: mesh, config: `service=${name}`, ...options }),
  ]);
  await switchService(namespace, service, router);
}

/** `preview`: a Service that was not there before, and its shadow. */
export async function previewLeftover(
  namespace: TestNamespace,
  service: string,
  options: LeftoverOptions = {},
): Promise<void> {
  const labels = { "kt-role": "shadow-preview", "kt-target": target(service) };
  await create(namespace, [
    createdService(service, labels, options),
    ...shadow({
      name: `${service}-kt-abcde`,
      labels,
      config: `service=${service}`,
      ...options,
    }),
  ]);
}

/** `connect`: a Shadow Pod that no Service leads to. */
export async function connectLeftover(
  namespace: TestNamespace,
  options: LeftoverOptions = {},
): Promise<void> {
  await create(
    namespace,
    shadow({
      name: "kt-connect-shadow-abcde",
      labels: { "kt-role": "shadow-connect" },
      config: "",
      ...options,
    }),
  );
}

/** `kt-lock` of a set-up that never ended. */
export async function lockLeftover(
  namespace: TestNamespace,
  service: string,
  ageSeconds: number,
): Promise<void> {
  await namespace.request("PATCH", `services/${service}`, {
    metadata: { annotations: { "kt-lock": String(now() - ageSeconds) } },
  });
}

/** What the original's `recover` writes before it deletes the shadow. */
export async function restoreService(
  namespace: TestNamespace,
  service: string,
  selector: Labels,
): Promise<void> {
  await patchService(namespace, service, [
    { op: "replace", path: "/spec/selector", value: selector },
    { op: "remove", path: "/metadata/annotations/kt-selector" },
  ]);
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}

function heartbeat({ ageSeconds = OLD_SECONDS }: LeftoverOptions): Labels {
  return { "kt-last-heart-beat": String(now() - ageSeconds) };
}

interface ShadowOptions extends LeftoverOptions {
  readonly name: string;
  readonly labels: Labels;
  readonly config: string;
  readonly asDeployment?: boolean;
}

function shadow(options: ShadowOptions): KubeObject[] {
  const { name, labels } = options;
  return [
    options.asDeployment ? deployment(options) : pod(options),
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: {
        name,
        labels: { ...labels, "control-by": "kt" },
        annotations: heartbeat(options),
      },
      data: {
        authorized: "ssh-rsa AAAA",
        privateKey: "-----BEGIN RSA PRIVATE KEY-----",
      },
    },
  ];
}

function workloadMetadata(options: ShadowOptions) {
  const { name, labels, config, user = "carol" } = options;
  return {
    name,
    labels: { ...labels, "control-by": "kt" },
    annotations: {
      ...heartbeat(options),
      "kt-config": config,
      "kt-ref-count": "1",
      "kt-user": user,
    },
  };
}

function pod(options: ShadowOptions): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: workloadMetadata(options),
    spec: PARKED,
  };
}

function deployment(options: ShadowOptions): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: workloadMetadata(options),
    spec: {
      selector: { matchLabels: options.labels },
      template: { metadata: { labels: options.labels }, spec: PARKED },
    },
  };
}

/** No node takes it: what is asked here is what becomes of the object, and no container need start. */
export const PARKED = {
  nodeSelector: { "kubernetes.io/hostname": "none-such" },
  terminationGracePeriodSeconds: 0,
  containers: [{ name: "standalone", image: "localhost/busybox:1" }],
};

function createdService(
  name: string,
  selector: Labels,
  options: LeftoverOptions,
): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name,
      labels: { "control-by": "kt" },
      annotations: heartbeat(options),
    },
    spec: {
      selector,
      ports: [{ name: "kt-80", port: 80, targetPort: 8080, protocol: "TCP" }],
    },
  };
}

/** Keys sorted and no spaces, as Go writes it. */
async function switchService(
  namespace: TestNamespace,
  service: string,
  selector: Labels,
): Promise<void> {
  const { spec } = await namespace.request("GET", `services/${service}`);
  const sorted = Object.entries(spec.selector).sort(([a], [b]) =>
    a < b ? -1 : 1
  );
  await patchService(namespace, service, [
    {
      op: "add",
      path: "/metadata/annotations/kt-selector",
      value: JSON.stringify(Object.fromEntries(sorted)),
    },
    { op: "replace", path: "/spec/selector", value: selector },
  ]);
}

async function patchService(
  namespace: TestNamespace,
  service: string,
  patch: unknown[],
): Promise<void> {
  await namespace.request("PATCH", `services/${service}`, patch);
}

/** Not as `kubectl apply`: the original leaves no annotation of kubectl's. */
async function create(
  namespace: TestNamespace,
  items: readonly KubeObject[],
): Promise<void> {
  for (const item of items) {
    const plural = `${item.kind.toLowerCase()}s`;
    const path = item.kind === "Deployment" ? `${APPS}/${plural}` : plural;
    await namespace.request("POST", path, item);
  }
}
