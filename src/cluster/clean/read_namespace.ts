/** All that ktctl, this or the original, may have left in a namespace. */
import { PermissionError } from "../../core/errors.ts";
import type { Report } from "../../core/report.ts";
import {
  annotation,
  CONTROL_BY,
  CONTROL_BY_KT,
  ROLE,
  ROUTER_STATE,
  ROUTER_SUFFIX,
} from "../../kube/annotations.ts";
import type { NamespaceState } from "../../kube/cluster_step.ts";
import type { KubeApi, KubeObject, Resource } from "../../kube/kube_api.ts";
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  PODS,
  REPLICA_SETS,
  SECRETS,
  SERVICE_ACCOUNTS,
  SERVICES,
} from "../../kube/resources.ts";

/** Kinds that the user may not list are left out, with a warning. */
export async function readNamespace(
  kube: KubeApi,
  options: {
    signal: AbortSignal;
    report: Pick<Report, "warn">;
    /** @default the session's */
    namespace?: string;
  },
): Promise<NamespaceState> {
  const { signal, namespace = kube.namespace } = options;
  const where = { signal, namespace };
  const ours = `${CONTROL_BY}=${CONTROL_BY_KT}`;
  const list = async (
    resource: Resource,
    { isDispensable = false, ...how }: {
      labelSelector?: string;
      metadataOnly?: boolean;
      isDispensable?: boolean;
    } = {},
  ): Promise<KubeObject[]> => {
    try {
      return await kube.list(resource, { ...where, ...how });
    } catch (error) {
      if (
        !(error instanceof PermissionError) || error.code !== "RBAC_FORBIDDEN"
      ) throw error;
      if (!isDispensable) {
        options.report.warn(
          "LIST_FORBIDDEN",
          `Cannot list ${resource.plural}: they are left as they are`,
        );
      }
      return [];
    }
  };
  // without Services and Pods there is nothing to be judged
  const [
    services,
    deployments,
    replicaSets,
    made,
    deployed,
    found,
    secrets,
    serviceAccounts,
  ] = await Promise
    .all([
      kube.list(SERVICES, where),
      list(DEPLOYMENTS),
      list(REPLICA_SETS, {
        labelSelector: `${ours},${ROLE}!=router`,
        isDispensable: true, // it goes with its Stuntman Service, a moment later
      }),
      kube.list(PODS, { ...where, labelSelector: ours }),
      kube.list(PODS, { ...where, labelSelector: `${ROLE},!${CONTROL_BY}` }),
      list(CONFIG_MAPS, { labelSelector: ours, metadataOnly: true }),
      list(SECRETS, { labelSelector: ours, metadataOnly: true }),
      list(SERVICE_ACCOUNTS, {
        labelSelector: ours,
        isDispensable: true, // without its pod it has no rights
      }),
    ]);
  const configMaps = await withRecords(kube, found, options);
  const pods = [...made, ...deployed];
  return {
    ...{ services, deployments, replicaSets, pods },
    ...{ configMaps, secrets, serviceAccounts },
  };
}

/**
 * With the data of what may be a router's record. Agents' programs, which are in ConfigMaps as well, and
 * what others may have put there, are not fetched. One that may not be read is left out, and so left alone.
 */
async function withRecords(
  kube: KubeApi,
  configMaps: readonly KubeObject[],
  { signal, report }: { signal: AbortSignal; report: Pick<Report, "warn"> },
): Promise<KubeObject[]> {
  const records: KubeObject[] = [];
  for (const one of configMaps) {
    const { name, namespace = kube.namespace, uid } = one.metadata;
    const mayBeRouters = name.endsWith(ROUTER_SUFFIX) ||
      annotation(one, ROUTER_STATE) !== undefined;
    if (!mayBeRouters) {
      records.push(one);
      continue;
    }
    try {
      const ref = { resource: CONFIG_MAPS, name, namespace };
      const whole = await kube.find(ref, { signal });
      if (whole?.metadata.uid === uid) records.push({ ...one, ...whole });
    } catch (error) {
      if (!(error instanceof PermissionError)) throw error;
      report.warn(
        "GET_FORBIDDEN",
        `Cannot read ConfigMap "${name}": it is left as it is`,
      );
    }
  }
  return records;
}
