// The built-in routing plugins keep the promises that every plugin has to.
import { openTestCluster } from "./cluster.ts";
import { settled } from "./laptop.ts";
import { installServiceMeshCrds } from "./service_mesh_crds.ts";
import { type KitStep, openRoutingLab, testRouting } from "../../mod.ts";
import type { RoutingPlugin } from "../../src/plugins/plugin.ts";
import istio from "../../src/plugins/routing/istio.ts";
import routerPod from "../../src/plugins/routing/router_pod.ts";
import scale from "../../src/plugins/routing/scale.ts";
import selector from "../../src/plugins/routing/selector.ts";
import service from "../../src/plugins/routing/service.ts";

interface Candidate {
  readonly plugin: RoutingPlugin<never>;
  readonly options: Record<string, string>;
  /** @default "deploy/web" */
  readonly target?: string;
  /** @default 1 */
  readonly replicas?: number;
}

/** Runs the kit on the demo's Deployment, in a namespace of its own. */
async function runKit(
  { plugin, options, target = "deploy/web", replicas = 1 }: Candidate,
  step: KitStep,
): Promise<void> {
  const cluster = await openTestCluster();
  await using _crds = plugin === istio
    ? await installServiceMeshCrds(cluster)
    : undefined;
  await using namespace = await cluster.demo({ replicas });
  await using lab = await openRoutingLab({
    plugin,
    options,
    target,
    kubeconfig: cluster.kubeconfig,
    namespace: namespace.name,
  });
  let before: string | undefined;
  /** The next look is at what route() has done: it would be waited in vain until that is not there. */
  let isRouted = false;
  await testRouting({
    ...lab,
    async shadow(plan) {
      const shadow = await lab.shadow(plan);
      before = await namespace.snapshot();
      return shadow;
    },
    // the kit compares at once, and controllers follow a change of replicas a moment later
    snapshot() {
      const waits = before !== undefined && !isRouted;
      isRouted = false;
      return waits ? settled(namespace, before!) : namespace.snapshot();
    },
    step(claim, run) {
      isRouted = /undoes all that route\(\) did$/.test(claim);
      return step(claim, run);
    },
  });
}

const candidates: readonly Candidate[] = [
  { plugin: selector, options: {} },
  { plugin: scale, options: {}, replicas: 2 },
  { plugin: scale, options: { keepReplicas: "0" } },
  { plugin: routerPod, options: {} },
  { plugin: service, options: { external: "true" }, target: "mine" },
  {
    plugin: istio,
    options: { applyRules: "true" },
  },
];
for (const one of candidates) {
  const how = Object.entries(one.options).map((pair) => pair.join(" "));
  const name = [`"${one.plugin.name}"`, ...how].join(" with ");
  Deno.test(`the routing plugin ${name} passes the conformance kit`, (t) =>
    runKit(one, (claim, run) => t.step(claim, run)));
}
