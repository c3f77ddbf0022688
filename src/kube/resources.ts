/** The kinds of object that ktctl touches. */
import type { Resource } from "./kube_api.ts";

function resource(
  apiVersion: string,
  kind: string,
  plural: string,
  namespaced = true,
): Resource {
  return { apiVersion, kind, plural, namespaced };
}

export const PODS: Resource = resource("v1", "Pod", "pods");
export const SERVICES: Resource = resource("v1", "Service", "services");
export const CONFIG_MAPS: Resource = resource("v1", "ConfigMap", "configmaps");
export const SECRETS: Resource = resource("v1", "Secret", "secrets");
export const SERVICE_ACCOUNTS: Resource = resource(
  "v1",
  "ServiceAccount",
  "serviceaccounts",
);
export const ROLES: Resource = resource(
  "rbac.authorization.k8s.io/v1",
  "Role",
  "roles",
);
export const ROLE_BINDINGS: Resource = resource(
  "rbac.authorization.k8s.io/v1",
  "RoleBinding",
  "rolebindings",
);
export const ENDPOINTS: Resource = resource("v1", "Endpoints", "endpoints");
/** The API versions that may serve EndpointSlices, newest first. */
export const ENDPOINT_SLICES: readonly Resource[] = ["v1", "v1beta1"].map(
  (version) =>
    resource(
      `discovery.k8s.io/${version}`,
      "EndpointSlice",
      "endpointslices",
    ),
);
export const EVENTS: Resource = resource("v1", "Event", "events");
export const LIMIT_RANGES: Resource = resource(
  "v1",
  "LimitRange",
  "limitranges",
);
export const NAMESPACES: Resource = resource(
  "v1",
  "Namespace",
  "namespaces",
  false,
);
export const NODES: Resource = resource("v1", "Node", "nodes", false);
/** The API versions that may serve the ranges of Services, newest first. */
export const SERVICE_CIDRS: readonly Resource[] = ["v1", "v1beta1"].map(
  (version) =>
    resource(
      `networking.k8s.io/${version}`,
      "ServiceCIDR",
      "servicecidrs",
      false,
    ),
);
export const DEPLOYMENTS: Resource = resource(
  "apps/v1",
  "Deployment",
  "deployments",
);
export const REPLICA_SETS: Resource = resource(
  "apps/v1",
  "ReplicaSet",
  "replicasets",
);
export const AUTOSCALERS: Resource = resource(
  "autoscaling/v1",
  "HorizontalPodAutoscaler",
  "horizontalpodautoscalers",
);
/** The API versions that may serve PodDisruptionBudgets, newest first. */
export const DISRUPTION_BUDGETS: readonly Resource[] = ["v1", "v1beta1"].map(
  (version) =>
    resource(
      `policy/${version}`,
      "PodDisruptionBudget",
      "poddisruptionbudgets",
    ),
);
/** The API versions that may serve Ingresses, newest first. */
export const INGRESSES: readonly Resource[] = ["v1", "v1beta1"].map((version) =>
  resource(`networking.k8s.io/${version}`, "Ingress", "ingresses")
);
