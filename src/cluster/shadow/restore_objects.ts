/** What an agent may have to change when it takes back what its session did, and nothing else. */
import type { RestoreObject } from "../../link/agent/agent_config.ts";
import {
  parseConfig,
  routerName,
  stuntmanName,
} from "../../kube/annotations.ts";
import type { Resource } from "../../kube/kube_api.ts";
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  PODS,
  REPLICA_SETS,
  SERVICES,
} from "../../kube/resources.ts";
import { scaleRecordRef } from "../scale/scale_record.ts";

/** Of `exchange`: `config` is that of its Shadow Pod, which names the Deployment that is scaled. */
export function exchangeObjects(
  { service, config }: { service: string; config: string },
): RestoreObject[] {
  const deployment = parseConfig(config).get("app");
  return [
    restoreObject(SERVICES, service, ["get", "patch"]),
    restoreObject(SERVICES, stuntmanName(service), ["get", "delete"]),
    ...(deployment === undefined ? [] : [
      restoreObject(DEPLOYMENTS, deployment, ["get", "patch"]),
      restoreObject(
        CONFIG_MAPS,
        scaleRecordRef(deployment, "").name,
        ["get", "delete"],
      ),
    ]),
  ];
}

/** Of `mesh` by a router: the last participant takes back all of that. `shadow` is the name of its own Service. */
export function meshObjects(
  { service, shadow }: { service: string; shadow: string },
): RestoreObject[] {
  const router = routerName(service);
  return [
    restoreObject(SERVICES, service, ["get", "patch"]),
    restoreObject(SERVICES, stuntmanName(service), ["get", "patch", "delete"]),
    restoreObject(SERVICES, shadow, ["get", "delete"]),
    restoreObject(CONFIG_MAPS, router, ["get", "patch", "delete"]),
    restoreObject(REPLICA_SETS, router, ["get", "delete"]),
    restoreObject(PODS, router, ["get", "delete"]),
  ];
}

/** Of `preview`: the Service that it made. */
export function previewObjects(service: string): RestoreObject[] {
  return [restoreObject(SERVICES, service, ["get", "delete"])];
}

export function restoreObject(
  { apiVersion, kind, plural }: Resource,
  name: string,
  verbs: RestoreObject["verbs"],
): RestoreObject {
  return { apiVersion, kind, plural, name, verbs };
}
