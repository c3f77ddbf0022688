/** Which ports the Shadow Pod listens on, for each port of the Service. */
import { UnsupportedError } from "../../core/errors.ts";
import { labelSelector, originalSelector } from "../../kube/annotations.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { PODS } from "../../kube/resources.ts";
import type { PortRange } from "../service/affinity_ports.ts";
import type { AgentConfig } from "../../link/agent/agent_config.ts";
import type { PortRoute } from "../service/expose.ts";
import { runningContainers } from "../pod/pod_containers.ts";
import type { LocalPort } from "./shadow_link.ts";
import type { ContainerPort } from "../pod/restricted_pod.ts";
import { freePortName } from "../object/free_port_name.ts";

/** A port of the Shadow Pod. */
export interface PodPort {
  /** The container port's name: that of a named targetPort, so that the Service finds it. */
  readonly name: string;
  readonly port: number;
  /** The port here that it leads to; none where the user exposed ports of other targets only. */
  readonly local?: number;
  /** The Service's port, at which the Stuntman Service offers the original. */
  readonly servicePort: number;
}

export const FIRST_FREE_PORT = 10_000;
/** Ports below this one need a privilege, or a sysctl that Kubernetes allows from 1.22 on. */
export const FIRST_UNPRIVILEGED_PORT = 1024;

/** One entry for each distinct target of the Service's ports. */
export async function planPodPorts(
  kube: KubeApi,
  service: KubeObject,
  options: { routes: readonly PortRoute[]; signal: AbortSignal },
): Promise<PodPort[]> {
  const named = await namedPorts(kube, service, options);
  // a Service finds a number only under itself, so that names have to make way
  const taken = new Set(
    options.routes.map(({ servicePort }) => servicePort.targetPort)
      .filter((target) => typeof target === "number"),
  );
  // theirs: none of ours may be called so
  const names = new Set(
    options.routes.map(({ servicePort }) => String(servicePort.targetPort)),
  );
  const ports = new Map<string | number, PodPort>();
  for (const { servicePort, local } of options.routes.toSorted(exposedFirst)) {
    const { targetPort, port: number } = servicePort;
    if (ports.has(targetPort)) continue;
    const isNamed = typeof targetPort === "string";
    const wanted = isNamed ? named.get(targetPort) : targetPort;
    // a named port is looked up in each pod, so that ours may have another number
    const port = isNamed &&
        (wanted === undefined || wanted < FIRST_UNPRIVILEGED_PORT ||
          taken.has(wanted))
      ? freePort(taken, FIRST_FREE_PORT)
      : wanted as number;
    taken.add(port);
    ports.set(targetPort, {
      name: isNamed ? targetPort : freePortName(`kt-${port}`, names),
      port,
      servicePort: number,
      ...(local === undefined ? {} : { local }),
    });
  }
  return [...ports.values()];
}

function exposedFirst(a: PortRoute, b: PortRoute): number {
  return Number(a.local === undefined) - Number(b.local === undefined);
}

async function namedPorts(
  kube: KubeApi,
  service: KubeObject,
  { routes, signal }: { routes: readonly PortRoute[]; signal: AbortSignal },
): Promise<Map<string, number>> {
  const names = new Map<string, number>();
  if (
    !routes.some(({ servicePort }) =>
      typeof servicePort.targetPort === "string"
    )
  ) return names;
  const pods = await kube.list(PODS, {
    labelSelector: labelSelector(originalSelector(service)),
    signal,
  });
  for (const pod of pods) {
    for (const container of runningContainers(pod.spec)) {
      for (const { name, containerPort } of container.ports ?? []) {
        if (name !== undefined && !names.has(name)) {
          names.set(name, containerPort);
        }
      }
    }
  }
  return names;
}

/**
 * Whether the pod must be allowed to bind low ports. Throws `UnsupportedError` (`LOW_PORT`) where
 * this server is too old to allow it.
 */
export async function needsLowPorts(
  kube: KubeApi,
  ports: readonly PodPort[],
  options: { signal: AbortSignal; wayOut: string },
): Promise<boolean> {
  const low = ports.find(({ port }) => port < FIRST_UNPRIVILEGED_PORT);
  if (low === undefined) return false;
  const { major, minor, gitVersion } = await kube.version({
    signal: options.signal,
  });
  if (major > 1 || minor >= 22) return true;
  throw new UnsupportedError(
    "LOW_PORT",
    `Cannot listen on targetPort ${low.port} without privileges: Kubernetes ${gitVersion} is older than 1.22`,
    { hint: options.wayOut },
  );
}

/** A laptop that is silent for so long counts as gone: requests go to the original workload again. */
const CLIENT_TIMEOUT_MS = 4_000;
/** A Shadow Pod told to end stays until no connection has been on its way to it for so long. */
const LINGER_MS = 1_000;
/**
 * Within its grace period. One that is evicted is all that a Service has until the next one runs, and
 * from Kubernetes 1.26 on kube-proxy goes on sending there; but one that the kubelet ends by itself
 * gets nothing any more, and is replaced only when it has ended.
 */
const MOST_LINGER_MS = 8_000;

/**
 * What the agent is told. With `fallbackHost` each port falls back to that host's Service port, and
 * ports that lead nowhere here are passed through to it.
 */
export function agentConfig(
  ports: readonly PodPort[],
  options: {
    /** `checked`: to the agent, as `attached`. */
    ready: AgentConfig["ready"] | "checked";
    fallbackHost?: string | undefined;
    /** By the Service's port, where a client is kept at one pod. @default none */
    affinity?: ReadonlyMap<number, PortRange>;
  },
): AgentConfig {
  const { ready, fallbackHost: host, affinity } = options;
  const taken = new Set(ports.map(({ port }) => port));
  const sshPort = freePort(taken, 2222);
  taken.add(sshPort);
  return {
    sshPort,
    statusPort: freePort(taken, 2223),
    ports: ports
      .filter(({ local }) => local !== undefined || host !== undefined)
      .map(({ port, servicePort, local }) => ({
        port,
        ...(host === undefined ? {} : {
          fallback: {
            host,
            port: servicePort,
            ...affinity?.has(servicePort)
              ? { affinity: affinity.get(servicePort)! }
              : {},
          },
        }),
        ...(local === undefined ? { isPassedThrough: true } : {}),
      })),
    ready: ready === "checked" ? "attached" : ready,
    clientTimeoutMs: CLIENT_TIMEOUT_MS,
    lingerMs: LINGER_MS,
    mostLingerMs: MOST_LINGER_MS,
  };
}

export function containerPorts(ports: readonly PodPort[]): ContainerPort[] {
  return ports.map(({ name, port }) => ({ name, port }));
}

export function localPorts(ports: readonly PodPort[]): LocalPort[] {
  return ports.flatMap(({ port, local }) =>
    local === undefined ? [] : [{ podPort: port, localPort: local }]
  );
}

/** The first from `first` on that is not taken. */
export function freePort(taken: ReadonlySet<number>, first: number): number {
  let port = first;
  while (taken.has(port)) port++;
  return port;
}
