/** The router's state in the cluster: read, change, write back only if nobody wrote in between. */
import { ConflictError } from "../../core/errors.ts";
import { routerName } from "../../kube/annotations.ts";
import type { KubeApi, KubeObject, ObjectRef } from "../../kube/kube_api.ts";
import { CONFIG_MAPS } from "../../kube/resources.ts";
import { isRouterRecord, readRouter, routerRecord } from "./router_record.ts";
import type { RouterState } from "./router_state.ts";
import { updateObject } from "../object/update_object.ts";

export function routerRef(service: string, namespace: string): ObjectRef {
  return { resource: CONFIG_MAPS, name: routerName(service), namespace };
}

/** Undefined where there is no router. Throws as {@link stateOf}. */
export async function findState(
  kube: KubeApi,
  ref: ObjectRef,
  signal: AbortSignal,
): Promise<RouterState | undefined> {
  const configMap = await kube.find(ref, { signal });
  return configMap === undefined ? undefined : stateOf(configMap);
}

/** Changes the state if nobody else did meanwhile. Undefined where there is no router. */
export async function updateState(
  kube: KubeApi,
  ref: ObjectRef,
  change: (state: RouterState) => RouterState,
  options: { signal?: AbortSignal } = {},
): Promise<RouterState | undefined> {
  let result: RouterState | undefined;
  const found = await updateObject(kube, ref, (configMap) => {
    const state = stateOf(configMap);
    result = change(state);
    if (result === state) return undefined;
    return Object.entries(routerRecord(result)).map(([key, value]) => (
      { op: "add", path: `/data/${key}`, value }
    ));
  }, options);
  return found === undefined ? undefined : result;
}

/** Throws `ConflictError` (`ROUTER_NAME_TAKEN`) where the ConfigMap is not ours, or not as ours are. */
export function stateOf(configMap: KubeObject): RouterState {
  const read = readRouter(configMap);
  if (read.reason === undefined) return read.value;
  const { name } = configMap.metadata;
  throw new ConflictError(
    "ROUTER_NAME_TAKEN",
    isRouterRecord(configMap)
      ? `Cannot use the router of ConfigMap "${name}": ${read.reason}`
      : `Cannot make a router: ConfigMap "${name}" already exists, and ktctl did not make it`,
    { hint: "Rename or delete it." },
  );
}
