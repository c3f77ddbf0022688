// The built-in routing plugins keep the promises that every plugin has to.
import { openTestCluster, succeeded, type TestNamespace } from "./cluster.ts";
import { settled } from "./laptop.ts";
import { installServiceMeshCrds } from "./service_mesh_crds.ts";
import { connectKube } from "../../src/kube/connect_kube.ts";
import { DEPLOYMENTS, SERVICES } from "../../src/kube/resources.ts";
import { readOptions } from "../../src/plugins/driver.ts";
import type {
  RoutingContext,
  RoutingPlugin,
} from "../../src/plugins/plugin.ts";
import istio from "../../src/plugins/routing/istio.ts";
import routerPod from "../../src/plugins/routing/router_pod.ts";
import scale from "../../src/plugins/routing/scale.ts";
import selector from "../../src/plugins/routing/selector.ts";
import {
  type RoutingTestOptions,
  testRouting,
} from "../../src/plugins/testing.ts";
import { plainPod } from "./plain_pod.ts";

interface Candidate {
  readonly plugin: RoutingPlugin<never>;
  readonly options: Record<string, string>;
}

/** Of each verb: its Shadow Pod, and what else a context of it holds. */
const VERBS = {
  exchange: { podName: "shadow", role: "shadow-exchange", extra: {} },
  mesh: {
    podName: "web-kt-mesh-kit",
    role: "shadow-mesh",
    extra: { mark: { key: "version", value: "kit" } },
  },
} as const;

/** A pod that runs where a Shadow Pod would, with a status page as the agent's. */
async function startShadow(
  namespace: TestNamespace,
  { podName: name, labels }: {
    podName: string;
    labels: Record<string, string>;
  },
): Promise<void> {
  const www = "mkdir /tmp/www && echo yes > /tmp/www/ready";
  await namespace.apply(JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      labels,
      annotations: { "ktctl.dev/session": "kitsession" },
    },
    spec: {
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      containers: [{
        name: "standalone",
        image: "localhost/busybox:1",
        imagePullPolicy: "IfNotPresent",
        command: ["sh", "-c", `${www} && exec httpd -f -p 2223 -h /tmp/www`],
        ports: [{ name: "kt-status", containerPort: 2223 }],
      }],
    },
  }));
  const ready = ["wait", "--for=condition=Ready", `pod/${name}`];
  succeeded(await namespace.kubectl([...ready, "--timeout=60s"]));
}

/** Runs the kit on the demo's Service, in a namespace of its own. */
async function runKit(
  { plugin, options }: Candidate,
  step: RoutingTestOptions["step"],
): Promise<void> {
  const cluster = await openTestCluster();
  await using _crds = await installServiceMeshCrds(cluster);
  await using namespace = await cluster.namespace();
  await namespace.applyDemo();
  const { verbs: [verb = "exchange"] } = plugin;
  const { podName: shadowPod, role, extra } = VERBS[verb];
  const shadowLabels = { "kt-role": role, "kt-target": "kitkitkit" };
  await startShadow(namespace, { podName: shadowPod, labels: shadowLabels });
  const controller = new AbortController();
  const kube = await connectKube({
    kubeconfig: cluster.kubeconfig,
    namespace: namespace.name,
    signal: controller.signal,
  });
  const service = await kube.get({ resource: SERVICES, name: "web" });
  const deployment = await kube.get({ resource: DEPLOYMENTS, name: "web" });
  const routing: RoutingContext<never> = {
    verb,
    ...extra,
    options: await readOptions(plugin, options),
    target: { service, deployment },
    kube,
    signal: controller.signal,
    log: { warn() {}, debug() {} },
    shadowLabels,
    user: "tester",
    session: "kitsession",
    pod: plainPod,
    podTimeoutMs: 60_000,
    recoverWaitMs: 60_000,
  };
  // the kit compares at once, and controllers follow a change of replicas a moment later
  const before = await namespace.snapshot();
  const snapshot = () => settled(namespace, before);
  await testRouting({
    plugin,
    world: { kube },
    context: () => Promise.resolve({ routing, shadowPod }),
    snapshot,
    step,
  });
  controller.abort();
}

const candidates: readonly Candidate[] = [
  { plugin: selector, options: {} },
  { plugin: scale, options: {} },
  { plugin: routerPod, options: {} },
  {
    plugin: istio,
    options: { applyRules: "true" },
  },
];
for (const one of candidates) {
  Deno.test(`the routing plugin "${one.plugin.name}" passes the conformance kit`, (t) =>
    runKit(one, (claim, run) => t.step(claim, run)));
}
