/**
 * The ReplicaSet that keeps a router: it adopts the Router Pod, and makes another where that goes and
 * nobody is there who could.
 *
 * Not a Deployment: no pod of one can be called `<service>-kt-router`, and where there is no pod of just
 * that name, the original ktctl's `clean` gives the Service back under its users, and its `mesh` takes it.
 */
import { KtctlError } from "../../core/errors.ts";
import {
  annotation,
  ROUTER_STATE,
  routerName,
  sameLabels,
} from "../../kube/annotations.ts";
import type { KubeApi, KubeObject, ObjectRef } from "../../kube/kube_api.ts";
import { REPLICA_SETS } from "../../kube/resources.ts";
import { isRefused } from "../object/is_refused.ts";
import { notOnNode } from "../pod/not_on_node.ts";
import { OWN_CONTAINER } from "../pod/pod_containers.ts";
import {
  routerKeeper,
  routerLabels,
  type RouterPodOptions,
} from "./router_objects.ts";
import type { RouterState } from "./router_state.ts";

/**
 * Has the cluster keep the router, as its state is now. Says why not, where the cluster refuses it.
 * Throws what the API throws else.
 */
export async function keepRouter(
  kube: KubeApi,
  state: RouterState,
  options: { user: string; pod: RouterPodOptions },
): Promise<string | undefined> {
  const wanted = routerKeeper(state, options);
  for (;;) {
    try {
      const found = await kube.find(refOf(state));
      if (found === undefined) {
        await kube.create(REPLICA_SETS, wanted);
        return undefined;
      }
      const { metadata: { name, deletionTimestamp, uid } } = found;
      if (!isOurs(found) || deletionTimestamp !== undefined) {
        return `ReplicaSet "${name}" is there already`;
      }
      const { matchLabels } = found.spec.selector;
      if (sameLabels(matchLabels, routerLabels(state))) {
        return await mend(kube, found, wanted);
      }
      // of a router before this one, on its way out
      await kube.delete(refOf(state), uid === undefined ? {} : { uid });
    } catch (error) {
      if (!(error instanceof KtctlError)) throw error;
      const { message, hint, code } = error;
      if (isRefused(error)) return hint ? `${message}. ${hint}` : message;
      // another participant was faster
      if (code !== "ALREADY_EXISTS") throw error;
    }
  }
}

/** The Stuntman Service may have another address now. The pod that is there is told over its runtime API. */
async function mend(
  kube: KubeApi,
  found: KubeObject,
  wanted: KubeObject,
): Promise<undefined> {
  const command = commandOf(wanted);
  if (JSON.stringify(commandOf(found)) === JSON.stringify(command)) return;
  const { name, namespace = kube.namespace } = found.metadata;
  const containers = [{ name: OWN_CONTAINER, command }];
  await kube.patch(
    { resource: REPLICA_SETS, name, namespace },
    { spec: { template: { spec: { containers } } } },
    { type: "strategic" },
  );
}

function commandOf({ spec }: KubeObject): string[] | undefined {
  return spec.template.spec.containers.find(({ name }: { name: string }) =>
    name === OWN_CONTAINER
  )?.command;
}

/** Has the next pod made on another node than one that is gone, where this user may say so and there is one. */
export async function keepOffNode(
  kube: KubeApi,
  state: Pick<RouterState, "service" | "namespace">,
  node: string,
): Promise<void> {
  const affinity = notOnNode(node);
  try {
    const found = await kube.find(refOf(state));
    if (found === undefined || !isOurs(found)) return;
    await kube.patch(
      refOf(state),
      { spec: { template: { spec: { affinity } } } },
      { type: "strategic" },
    );
  } catch (error) {
    if (!isRefused(error)) throw error;
  }
}

/**
 * Before its pods, which it would make anew. Who may not goes on: it belongs to the router's ConfigMap,
 * and goes with that in the end, with the pods that it has made meanwhile.
 */
export async function endKeeper(
  kube: KubeApi,
  state: Pick<RouterState, "service" | "namespace">,
  signal: AbortSignal,
): Promise<void> {
  try {
    const found = await kube.find(refOf(state), { signal });
    if (found === undefined || !isOurs(found)) return;
    const { uid } = found.metadata;
    await kube.delete(refOf(state), {
      signal,
      ...(uid === undefined ? {} : { uid }),
    });
  } catch (error) {
    if (!isRefused(error)) throw error;
  }
}

function refOf(
  { service, namespace }: Pick<RouterState, "service" | "namespace">,
): ObjectRef {
  return { resource: REPLICA_SETS, name: routerName(service), namespace };
}

function isOurs(object: KubeObject): boolean {
  return annotation(object, ROUTER_STATE) !== undefined;
}
