/** The service mesh rules that send marked requests to a Shadow Pod. Pure. */
import { fittedName } from "../../kube/fitted_name.ts";
import {
  CONTROL_BY,
  CONTROL_BY_KT,
  ROUTER_STATE,
} from "../../kube/annotations.ts";
import type { KubeObject, Resource } from "../../kube/kube_api.ts";
import { type MeshMark, meshName } from "./mesh_mark.ts";

export interface RulesFor {
  readonly namespace: string;
  readonly service: string;
  readonly mark: MeshMark;
  /** The value that the original pods have under the mark's key; none where they lack the label. */
  readonly original?: string;
}

/** Istio's API group. */
export const ISTIO = "networking.istio.io";
const DEFAULT_ROUTE = "kt-original";

export function istioResource(
  kind: "VirtualService" | "DestinationRule",
  version: string,
): Resource {
  return {
    apiVersion: `${ISTIO}/${version}`,
    kind,
    plural: `${kind.toLowerCase()}s`,
    namespaced: true,
  };
}

/** The rules of all developers of one Service are in one object of each kind: Istio merges no others. */
export function rulesName(service: string): string {
  return `${service}-kt-mesh`;
}

/** No mark begins with a dash: so the one called "original" does not take the default route's place. */
function routeName({ value }: MeshMark): string {
  const name = fittedName(`kt-${value.replaceAll(".", "-")}`, "");
  return name === DEFAULT_ROUTE ? "kt--original" : name;
}

/** One entry of `spec.http`. */
export interface HttpRoute {
  readonly name?: string;
  readonly [field: string]: unknown;
}

export function markedRoute({ service, mark }: RulesFor): HttpRoute {
  return {
    name: routeName(mark),
    match: [{ headers: { [mark.key]: { exact: mark.value } } }],
    route: [{ destination: { host: service, subset: routeName(mark) } }],
  };
}

export interface Subset {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export function markedSubset({ mark }: RulesFor): Subset {
  return { name: routeName(mark), labels: { [mark.key]: mark.value } };
}

/** For everybody else's requests. */
function defaultRoute({ service, original }: RulesFor): HttpRoute {
  const destination = original === undefined
    ? { host: service }
    : { host: service, subset: DEFAULT_ROUTE };
  return { name: DEFAULT_ROUTE, route: [{ destination }] };
}

export function virtualService(rules: RulesFor, version: string): KubeObject {
  return {
    apiVersion: `${ISTIO}/${version}`,
    kind: "VirtualService",
    metadata: metadata(rules),
    spec: {
      hosts: [rules.service],
      http: [markedRoute(rules), defaultRoute(rules)],
    },
  };
}

export function destinationRule(rules: RulesFor, version: string): KubeObject {
  const { service, mark, original } = rules;
  const subsets = [markedSubset(rules)];
  if (original !== undefined) {
    subsets.push({ name: DEFAULT_ROUTE, labels: { [mark.key]: original } });
  }
  return {
    apiVersion: `${ISTIO}/${version}`,
    kind: "DestinationRule",
    metadata: metadata(rules),
    spec: { host: service, subsets },
  };
}

function metadata({ service, namespace }: RulesFor): KubeObject["metadata"] {
  return {
    name: rulesName(service),
    namespace,
    labels: { [CONTROL_BY]: CONTROL_BY_KT },
    annotations: { [ROUTER_STATE]: "1" },
  };
}

/** Whether an entry, by its name, is a developer's. */
export function isDevelopers({ name }: { name?: string }): boolean {
  return name !== undefined && name.startsWith("kt-") && name !== DEFAULT_ROUTE;
}

/** The same for the Gateway API, which routes to Services: one for the mark and one for the rest. */
export function gatewayRules(
  rules: RulesFor,
  { selector, ports }: {
    selector: Readonly<Record<string, string>>;
    ports: readonly {
      name?: string;
      port: number;
      targetPort: number | string;
    }[];
  },
): KubeObject[] {
  const { namespace, service, mark, original } = rules;
  const marked = meshName(service, mark);
  const rest = fittedName(service, "-kt-original");
  const make = (name: string, value: string | undefined): KubeObject => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace },
    spec: {
      selector: {
        ...selector,
        ...(value === undefined ? {} : { [mark.key]: value }),
      },
      ports: ports.map(({ name, port, targetPort }) => ({
        ...(name === undefined ? {} : { name }),
        port,
        targetPort,
        protocol: "TCP",
      })),
    },
  });
  const [{ port } = { port: 80 }] = ports;
  const route: KubeObject = {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: { name: rulesName(service), namespace },
    spec: {
      parentRefs: [{ group: "", kind: "Service", name: service, port }],
      rules: [
        {
          matches: [{
            headers: [{ type: "Exact", name: mark.key, value: mark.value }],
          }],
          backendRefs: [{ name: marked, port }],
        },
        { backendRefs: [{ name: rest, port }] },
      ],
    },
  };
  return [make(marked, mark.value), make(rest, original), route];
}
