// The built-in routing plugins keep the promises that every plugin has to.
import { openTestCluster, succeeded, type TestNamespace } from "./cluster.ts";
import { untouched } from "./laptop.ts";
import { connectKube } from "../../src/kube/connect_kube.ts";
import { DEPLOYMENTS, SERVICES } from "../../src/kube/resources.ts";
import type {
  RoutingContext,
  RoutingPlugin,
} from "../../src/plugins/plugin.ts";
import scale from "../../src/plugins/routing/scale.ts";
import selector from "../../src/plugins/routing/selector.ts";
import {
  type RoutingTestOptions,
  testRouting,
} from "../../src/plugins/testing.ts";
import { plainPod } from "./plain_pod.ts";

const shadowLabels = { "kt-role": "shadow-exchange", "kt-target": "kitkitkit" };

/** A pod that runs where a Shadow Pod would. */
async function startShadow(namespace: TestNamespace): Promise<string> {
  await namespace.apply(JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "shadow", labels: shadowLabels },
    spec: {
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      containers: [{
        name: "shadow",
        image: "localhost/busybox:1",
        imagePullPolicy: "IfNotPresent",
        command: ["sleep", "2147483647"],
      }],
    },
  }));
  const ready = ["wait", "--for=condition=Ready", "pod/shadow"];
  succeeded(await namespace.kubectl([...ready, "--timeout=60s"]));
  return "shadow";
}

/** Runs the kit on the demo's Service, in a namespace of its own. */
async function runKit(
  plugin: RoutingPlugin<never>,
  step: RoutingTestOptions["step"],
): Promise<void> {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  await namespace.applyDemo();
  const shadowPod = await startShadow(namespace);
  const controller = new AbortController();
  const kube = await connectKube({
    kubeconfig: cluster.kubeconfig,
    namespace: namespace.name,
    signal: controller.signal,
  });
  const service = await kube.get({ resource: SERVICES, name: "web" });
  const deployment = await kube.get({ resource: DEPLOYMENTS, name: "web" });
  const routing: RoutingContext<never> = {
    verb: "exchange",
    options: undefined as never,
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
  const snapshot = async () => {
    await untouched(namespace, before).catch(() => {});
    return await namespace.snapshot();
  };
  await testRouting({
    plugin,
    world: { kube },
    context: () => Promise.resolve({ routing, shadowPod }),
    snapshot,
    step,
  });
  controller.abort();
}

for (const plugin of [selector, scale] as RoutingPlugin<never>[]) {
  Deno.test(`the routing plugin "${plugin.name}" passes the conformance kit`, (t) =>
    runKit(plugin, (claim, run) => t.step(claim, run)));
}
