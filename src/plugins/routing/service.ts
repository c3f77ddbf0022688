/** Preview by a Service of its own, whose selector is that of the Shadow Pod. */
import * as v from "valibot";
import { objectArgs, objectStep } from "../../cluster/object/object_step.ts";
import { awaitArrival } from "../../cluster/service/await_endpoints.ts";
import { ConflictError } from "../../core/errors.ts";
import {
  CONTROL_BY,
  CONTROL_BY_KT,
  HEARTBEAT,
  label,
  SESSION,
} from "../../kube/annotations.ts";
import type { KubeObject, ObjectRef } from "../../kube/kube_api.ts";
import { SERVICES } from "../../kube/resources.ts";
import { BUILTIN_LISTINGS } from "../builtin_listings.ts";
import {
  definePlugin,
  type PrepareContext,
  type RouteContext,
  type RoutingContext,
  type RoutingPlan,
  type RoutingPlugin,
} from "../plugin.ts";
import { reconcileService } from "./reconcile_service.ts";

interface Options {
  readonly external?: "true";
}

type Context = RoutingContext<Options>;

const plugin: RoutingPlugin<Options> = {
  ...BUILTIN_LISTINGS.service,
  apiVersion: 1,
  options: v.object({ external: v.exactOptional(v.literal("true")) }),
  steps: [objectStep],
  probe: () => ({ ok: true }),
  plan,
  prepare,
  route,
};

async function plan(context: Context): Promise<RoutingPlan> {
  const { kube, signal } = context;
  const ref = refOf(context);
  const existing = await kube.find(ref, { signal });
  if (existing !== undefined) throw taken(existing);
  return {
    namePrefix: ref.name,
    config: `service=${ref.name}`,
    fallback: false,
    takesAll: false,
    ready: "attached",
  };
}

function taken(existing: KubeObject): ConflictError {
  const isOurs = label(existing, CONTROL_BY) === CONTROL_BY_KT;
  return new ConflictError(
    "SERVICE_EXISTS",
    `Cannot preview as "${existing.metadata.name}": a Service of that name already exists`,
    {
      hint: isOurs
        ? "It was made by ktctl. If its session is gone, run `ktctl clean` to remove it."
        : "Choose another name, or use `ktctl exchange` to take that Service's traffic.",
    },
  );
}

/** Made once: a Shadow Pod made anew has the same labels, and the Service keeps its address. */
async function prepare(context: PrepareContext<Options>): Promise<void> {
  const { kube, log, scope, heartbeat, session } = context;
  const service = newService(context);
  const args = objectArgs(SERVICES, service, { session });
  const ref = refOf(context);
  scope.defer("heartbeat of the Service", () => heartbeat.remove(ref));
  await scope.run(objectStep, args, service);
  heartbeat.add(ref);
  scope.background(
    "the preview's Service",
    (signal) => reconcileService({ kube, log, service }, signal),
  );
}

async function route(context: RouteContext<Options>): Promise<void> {
  const { kube, scope, shadowPod: podName } = context;
  const { name: service, namespace = kube.namespace } = refOf(context);
  await awaitArrival(kube, { service, namespace, podName }, scope.signal);
}

function newService(context: PrepareContext<Options>): KubeObject {
  const { kube, options, session, shadowLabels: selector, target } = context;
  const { service } = target;
  return {
    ...service,
    metadata: {
      ...service.metadata,
      labels: { [CONTROL_BY]: CONTROL_BY_KT },
      annotations: { [SESSION]: session, [HEARTBEAT]: String(kube.now()) },
    },
    spec: {
      ...service.spec,
      type: options.external === "true" ? "LoadBalancer" : "ClusterIP",
      selector,
    },
  };
}

function refOf({ kube, target: { service } }: Context): ObjectRef {
  const { name, namespace = kube.namespace } = service.metadata;
  return { resource: SERVICES, name, namespace };
}

export default definePlugin(plugin);
