/**
 * Session affinity behind a pod of ours. What it passes on has the pod's address, so that the cluster
 * would keep all clients at one pod. But it keeps to a pod per port of a Service: so the Stuntman Service
 * has many ports for each, and a client always comes by the same of them.
 */
import type { KubeObject } from "../../kube/kube_api.ts";
import { type ServicePort, servicePorts } from "./expose.ts";
import { freePortName } from "../object/free_port_name.ts";

/** Ports `first` … `first + count - 1` of the Stuntman Service, all for one port of the original. */
export interface PortRange {
  readonly first: number;
  readonly count: number;
}

const FIRST_PORT = 40_000;
/** For each port; that many groups of clients are kept apart. */
export const MAX_COUNT = 32;
/** Of one Service: each is some rules on each node. */
const MAX_PORTS = 512;

export function keepsClients({ spec }: KubeObject): boolean {
  return spec?.sessionAffinity === "ClientIP";
}

/** What is not as it was, nevertheless. */
export function warnOfAffinity(
  log: { warn(code: string, message: string): void },
  service: KubeObject,
  done: "exchanged" | "meshed",
): void {
  if (!keepsClients(service)) return;
  log.warn(
    "SESSION_AFFINITY",
    `Service "${service.metadata.name}" has session affinity. While it is ${done}, each client still stays with one pod, by the address that the client has in the cluster, but it may be another pod than before`,
  );
}

/** By the Service's port; empty where clients are not kept at one pod. The same for the same Service. */
export function affinityPorts(service: KubeObject): Map<number, PortRange> {
  const ranges = new Map<number, PortRange>();
  if (!keepsClients(service)) return ranges;
  const ports = servicePorts(service);
  const taken = ports.map(({ port }) => port);
  const count = Math.max(
    1,
    Math.min(MAX_COUNT, Math.floor(MAX_PORTS / ports.length)),
  );
  let first = FIRST_PORT;
  for (const { port, protocol } of ports) {
    if (protocol !== "TCP") continue;
    let hit: number | undefined;
    const isTaken = (one: number) => one >= first && one < first + count;
    while ((hit = taken.find(isTaken)) !== undefined) first = hit + 1;
    ranges.set(port, { first, count });
    first += count;
  }
  return ranges;
}

/** The ports of the Stuntman Service: those of the original, and the ranges. All of several have names. */
export function withAffinityPorts(
  service: KubeObject,
  ports: readonly ServicePort[],
): ServicePort[] {
  const ranges = affinityPorts(service);
  if (ranges.size === 0) return [...ports];
  const names = new Set(ports.flatMap(({ name }) => name ?? []));
  const named = (name: string) => {
    const free = freePortName(name, names);
    names.add(free);
    return free;
  };
  const originals = ports.map((port) => ({
    ...port,
    name: port.name ?? named(`kt-${port.port}`),
  }));
  const others = originals.flatMap((port) => {
    const { first, count } = ranges.get(port.port) ?? { first: 0, count: 0 };
    return port.protocol === "TCP" || port.protocol === undefined
      ? Array.from({ length: count }, (_, at) => ({
        ...port,
        name: named(`kt-${port.port}-${at}`),
        port: first + at,
      }))
      : [];
  });
  return [...originals, ...others];
}
