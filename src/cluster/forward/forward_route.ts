/** From what `ktctl forward` names to the ready pods that stand behind it, now and later. */
import { UnsupportedError, UsageError } from "../../core/errors.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { DEPLOYMENTS, PODS, SERVICES } from "../../kube/resources.ts";
import { type ServicePort, servicePorts } from "../service/expose.ts";
import {
  containerPort,
  followEndpoints,
  followPods,
  type ForwardPod,
} from "./forward_pods.ts";
import type { Wanted } from "../object/found_elsewhere.ts";
import type { ResourceTarget } from "./forward_target.ts";
import { runningContainers } from "../pod/pod_containers.ts";
import { getNamed } from "../service/target.ts";

export interface ForwardRoute {
  /** For people: `Service "web"`. */
  readonly title: string;
  /** The local port where the user names none. */
  readonly port: number;
  /** The ready pods, best first, at the start and after each change. */
  follow(signal: AbortSignal): AsyncIterable<readonly ForwardPod[]>;
}

/** The object that a target names, whether or not there is one. */
export function forwardedObject({ kind, name }: ResourceTarget): Wanted {
  const resource = { service: SERVICES, pod: PODS, deployment: DEPLOYMENTS };
  return { resource: resource[kind], name };
}

/**
 * @throws {NotFoundError} of the resource.
 * @throws {UsageError} `FORWARD_UNKNOWN_PORT`, `FORWARD_WHICH_PORT`.
 * @throws {UnsupportedError} `SERVICE_EXTERNAL_NAME`, `SERVICE_WITHOUT_SELECTOR`, `UDP_PORT`.
 */
export function planForward(
  kube: KubeApi,
  target: ResourceTarget,
  signal: AbortSignal,
): Promise<ForwardRoute> {
  return target.kind === "service"
    ? planService(kube, target, signal)
    : planPods(kube, target, signal);
}

async function planService(
  kube: KubeApi,
  target: ResourceTarget,
  signal: AbortSignal,
): Promise<ForwardRoute> {
  const { name } = target;
  const service = await getNamed(kube, SERVICES, { name, signal });
  const title = `Service "${name}"`;
  refusePodless(service, title, kube.namespace);
  const port = servicePort(servicePorts(service), target, title);
  return {
    title,
    port: port.port,
    follow: (signal) =>
      followEndpoints(kube, { service: name, port: port.name ?? "", signal }),
  };
}

/** A port-forward leads to pods; these have none that the API server knows of. */
function refusePodless(
  { spec = {} }: KubeObject,
  title: string,
  namespace: string,
): void {
  if (spec.type === "ExternalName") {
    throw new UnsupportedError(
      "SERVICE_EXTERNAL_NAME",
      `Cannot forward to the pods of ${title}: it is an ExternalName`,
      {
        hint:
          `Forward to its host: \`ktctl forward ${spec.externalName}:<port>\`.`,
      },
    );
  }
  if (Object.keys(spec.selector ?? {}).length > 0) return;
  throw new UnsupportedError(
    "SERVICE_WITHOUT_SELECTOR",
    `Cannot forward to the pods of ${title}: it has no selector`,
    {
      hint:
        `Forward to its address in the cluster: \`ktctl forward <service>.${namespace}:<port>\`.`,
    },
  );
}

function servicePort(
  ports: readonly ServicePort[],
  { port: wanted }: ResourceTarget,
  title: string,
): ServicePort {
  const tcp = ports.filter(({ protocol }) => protocol === "TCP");
  if (wanted === undefined) {
    return only(tcp, title, ({ port }) => String(port));
  }
  const found = tcp.find(({ port, name }) =>
    wanted === port || wanted === name
  );
  if (found !== undefined) return found;
  if (ports.some(({ port, name }) => wanted === port || wanted === name)) {
    throw new UnsupportedError(
      "UDP_PORT",
      `Cannot forward port ${wanted} of ${title}: it is not TCP`,
    );
  }
  throw new UsageError(
    "FORWARD_UNKNOWN_PORT",
    `Cannot forward port ${wanted}: ${title} has no such port`,
    {
      hint: `Its ports are ${
        ports.map(({ port, name }) => name ? `${port} (${name})` : port)
          .join(", ")
      }; write local:port to use another local port.`,
    },
  );
}

async function planPods(
  kube: KubeApi,
  target: ResourceTarget,
  signal: AbortSignal,
): Promise<ForwardRoute> {
  const { kind, name } = target;
  const isPod = kind === "pod";
  const { resource } = forwardedObject(target);
  const object = await getNamed(kube, resource, { name, signal });
  const title = `${isPod ? "Pod" : "Deployment"} "${name}"`;
  const template = isPod ? object : object.spec.template as KubeObject;
  const wanted = target.port ??
    only(tcpPorts(template), title, (port) => String(port));
  const port = containerPort(template, wanted);
  if (port === undefined) {
    throw new UsageError(
      "FORWARD_UNKNOWN_PORT",
      `Cannot forward port ${wanted}: ${title} has no port of that name`,
      { hint: "Write its number." },
    );
  }
  const selected = isPod
    ? { fieldSelector: `metadata.name=${name}` }
    : { labelSelector: selectorText(object.spec.selector) };
  return {
    title,
    port,
    follow: (signal) => followPods(kube, { ...selected, port: wanted, signal }),
  };
}

function tcpPorts({ spec }: KubeObject): number[] {
  const ports = runningContainers(spec).flatMap((one) => one.ports ?? []);
  return ports.filter(({ protocol = "TCP" }) => protocol === "TCP")
    .map(({ containerPort }) => containerPort);
}

function only<T>(
  ports: readonly T[],
  title: string,
  describe: (port: T) => string,
): T {
  const [first] = ports;
  if (first !== undefined && ports.length === 1) return first;
  throw new UsageError(
    "FORWARD_WHICH_PORT",
    `Missing port for ${title}`,
    {
      hint: ports.length === 0
        ? "It declares none: write the port's number after it."
        : `Write one of ${ports.map(describe).join(", ")} after it.`,
    },
  );
}

/** A label selector as the API's lists take it. */
export function selectorText(
  selector: {
    matchLabels?: Record<string, string>;
    matchExpressions?: { key: string; operator: string; values?: string[] }[];
  },
): string {
  const pairs = Object.entries(selector.matchLabels ?? {})
    .map(([key, value]) => `${key}=${value}`);
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values = [] }) =>
      operator === "Exists"
        ? key
        : operator === "DoesNotExist"
        ? `!${key}`
        : `${key} ${operator.toLowerCase()} (${values.join(",")})`,
  );
  return [...pairs, ...expressions].join(",");
}
