/**
 * Exchange by scaling the Deployment down. Where some replicas are kept, the Service is led to the
 * Shadow Pod by its selector, and they answer while the laptop does not. Where none is, the Shadow Pod
 * carries the Deployment's labels, and the Service stays as it is.
 */
import * as v from "valibot";
import { counted } from "../../core/counted.ts";
import {
  refuseHeldDeployment,
  refuseHeldService,
  refuseHeldServicesOf,
} from "../../cluster/holder.ts";
import { objectStep } from "../../cluster/object/object_step.ts";
import { deploymentReplicasStep } from "../../cluster/scale/deployment_replicas.ts";
import {
  awaitArrival,
  awaitProxy,
} from "../../cluster/service/await_endpoints.ts";
import {
  refuseEarlyTraffic,
  refuseSpreadLocal,
} from "../../cluster/service/service_likeness.ts";
import { serviceSelectorStep } from "../../cluster/service/service_selector.ts";
import { refuseUnsuitable } from "../../cluster/service/target.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import { BUILTIN_LISTINGS } from "../builtin_listings.ts";
import {
  definePlugin,
  type RouteContext,
  type RouteResult,
  type RoutingContext,
  type RoutingPlan,
  type RoutingPlugin,
} from "../plugin.ts";
import {
  deferReturn,
  recordScale,
  scaleDown,
  type Scaling,
} from "./scale_down.ts";
import { findDeployment, refuseAutoscaled } from "./scale_target.ts";
import {
  isSwitchedBack,
  refuseUnswitchable,
  switchService,
} from "./switch_service.ts";
import { warnOfDeploymentKeeper } from "./warn_of_keeper.ts";

interface Options {
  readonly keepReplicas: number;
}

type Context = RoutingContext<Options>;

const plugin: RoutingPlugin<Options> = {
  ...BUILTIN_LISTINGS.scale,
  apiVersion: 1,
  options: v.object({
    keepReplicas: v.pipe(
      v.optional(v.string(), "1"),
      v.regex(
        /^\d+$/,
        ({ input }) =>
          `Cannot read --keepReplicas "${input}": it must be a whole number, 0 or more`,
      ),
      v.transform(Number),
    ),
  }),
  steps: [objectStep, deploymentReplicasStep, serviceSelectorStep],
  probe: () => Promise.resolve({ ok: true }),
  plan,
  route,
  isReleased: async (context) =>
    context.plan?.fallback === true && await isSwitchedBack(context),
};

async function plan(context: Context): Promise<RoutingPlan> {
  const { kube, target: { service }, signal } = context;
  refuseUnsuitable(service);
  await refuseSpreadLocal(kube, service, signal);
  await refuseHeldService(kube, service, context);
  const deployment = await findDeployment(context);
  const kept = keptOf(context, deployment);
  if (kept > 0) {
    await refuseUnswitchable(
      context,
      "Move that port to a Service of its own, or use --keepReplicas 0.",
    );
  } else refuseEarlyTraffic(service, "Use --mode selector.");
  await refuseHeldDeployment(kube, deployment, signal);
  const services = await refuseHeldServicesOf(kube, deployment, context);
  await refuseAutoscaled(context, deployment);
  if (kept < deployment.spec.replicas) {
    warnOfDeploymentKeeper(context, deployment);
  }
  warnOfOtherServices(context, { deployment, services, kept });
  if (kept === 0) return planInPlace(context, deployment);
  const { metadata: { name, uid = "" }, spec: { replicas } } = deployment;
  const { name: namePrefix } = service.metadata;
  // by which the original ktctl scales back
  const scaled = kept < replicas ? `,app=${name},replicas=${replicas}` : "";
  return {
    namePrefix,
    config: `service=${namePrefix}${scaled}`,
    fallback: true,
    ready: "always",
    found: { uid },
  };
}

function planInPlace(
  { options, log }: Context,
  { metadata: { name, uid = "" }, spec: { replicas, template } }: KubeObject,
): RoutingPlan {
  if (options.keepReplicas > 0) {
    log.warn(
      "NO_REPLICAS",
      `Deployment "${name}" has no replicas: none is kept, and nothing answers while this laptop does not`,
    );
  }
  // without the hash no ReplicaSet of the Deployment takes the Shadow Pod for one of its own
  const { "pod-template-hash": _, ...labels } = template.metadata?.labels ?? {};
  return {
    namePrefix: name,
    config: `app=${name},replicas=${replicas}`,
    labels,
    fallback: false,
    ready: "attached",
    found: { uid },
  };
}

/** Never more than it has. */
function keptOf({ options }: Context, { spec }: KubeObject): number {
  return Math.min(options.keepReplicas, spec.replicas);
}

/** They lose pods too. Where none is kept the Shadow Pod is behind them, but has the exposed ports alone. */
function warnOfOtherServices(
  { target, log }: Context,
  { deployment, services, kept }: {
    deployment: KubeObject;
    services: readonly KubeObject[];
    kept: number;
  },
): void {
  const names = services.map(({ metadata }) => metadata.name)
    .filter((name) => name !== target.service.metadata.name);
  if (names.length === 0 || kept > 0 && kept === deployment.spec.replicas) {
    return;
  }
  log.warn(
    "SERVICES_SHARE_PODS",
    `The pods of Deployment "${deployment.metadata.name}" are behind ${
      names.map((name) => `Service "${name}"`).join(", ")
    } as well: until the end ${
      kept > 0
        ? `${counted(kept, "pod")} ${kept === 1 ? "answers" : "answer"} there`
        : "this laptop answers there on the exposed ports, and none of these pods on the others"
    }. --mode selector leaves them alone`,
  );
}

async function route(context: RouteContext<Options>): Promise<RouteResult> {
  const deployment = await findDeployment(context);
  const isBeside = context.plan?.fallback === true;
  const kept = isBeside ? keptOf(context, deployment) : 0;
  await (isBeside ? routeBeside : routeInPlace)(context, { deployment, kept });
  const { replicas } = deployment.spec;
  const keeps = `Deployment "${deployment.metadata.name}" keeps ${kept} of ${
    counted(replicas, "replica")
  }`;
  return {
    message: kept === 0
      ? `${keeps}: nothing answers while this laptop does not`
      : `${keeps}, which ${
        kept === 1 ? "answers" : "answer"
      } while this laptop does not`,
    details: { replicas, keptReplicas: kept },
  };
}

/**
 * The traffic goes first, and then the pods. At the end the Deployment is scaled up first. As soon as as
 * many pods are ready as were kept, which is at once as a rule, the Service is led to them; the
 * others come while nobody waits for them.
 */
async function routeBeside(
  context: RouteContext<Options>,
  scaling: Scaling,
): Promise<void> {
  const { kube, scope: { signal }, target: { service }, shadowPod } = context;
  const { deployment, kept } = scaling;
  if (kept === deployment.spec.replicas) return await switchService(context);
  await recordScale(context, scaling);
  await refuseHeldServicesOf(kube, deployment, { ...context, signal });
  await switchService(context);
  const { name, namespace = kube.namespace } = service.metadata;
  const endpoints = { service: name, namespace, podName: shadowPod };
  await awaitArrival(kube, endpoints, signal);
  await awaitProxy(signal); // or nodes would still send requests to pods that end
  deferReturn(context, scaling);
  await scaleDown(context, scaling);
}

async function routeInPlace(
  context: RouteContext<Options>,
  scaling: Scaling,
): Promise<void> {
  const { kube, scope: { signal } } = context;
  deferReturn(context, scaling);
  await recordScale(context, scaling);
  // whoever takes a Service looks at its pods last, so that one of the two sees the other
  await refuseHeldServicesOf(kube, scaling.deployment, { ...context, signal });
  await scaleDown(context, scaling);
}

export default definePlugin(plugin);
