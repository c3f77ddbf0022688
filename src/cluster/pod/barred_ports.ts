/** Which ports of a Service a pod of ours reaches at none of the pods behind it. */
import { isIPv6 } from "node:net";
import * as v from "valibot";
import { aborted } from "../../core/aborted.ts";
import { backoff } from "../../core/backoff.ts";
import { LinkError } from "../../core/errors.ts";
import { hostPort } from "../../core/host_port.ts";
import { label, ROLE } from "../../kube/annotations.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import { endPolitely } from "../../link/client/end_politely.ts";
import type { Link } from "../../link/client/link.ts";
import type { ServicePort } from "../service/expose.ts";
import { runningContainers } from "./pod_containers.ts";
import { isReady } from "./pod_ready.ts";

export interface BarredPort {
  /** The Service's. */
  readonly port: number;
  /** Where nobody answered, as `10.244.0.7:8080`. */
  readonly addresses: readonly string[];
}

export interface BarredPortsOptions {
  readonly ports: readonly ServicePort[];
  readonly wantsIPv6: boolean;
  /** To the pod of ours. */
  readonly link: Pick<Link, "dial" | "heardAt">;
  readonly signal: AbortSignal;
  /** @default 4000 */
  readonly patienceMs?: number;
}

/** Of the pods that are asked. What lets in our pod goes by labels, and theirs are the same. */
const MOST_PODS = 4;

/**
 * Linux sends the first packet again after 1 s and after 3 s. A network may take some time, too, until it
 * lets in a pod that has just started.
 */
const PATIENCE_MS = 4_000;

/** A link on which nothing came for so long, with an answer to a ping due each second, is no witness. */
const DOUBT_MS = 1_500;

const portsSchema = v.fallback(
  v.array(v.object({
    name: v.optional(v.string()),
    containerPort: v.number(),
    protocol: v.optional(v.string(), "TCP"),
  })),
  [],
);
const probed = v.optional(v.object({
  port: v.union([v.number(), v.string()]),
  host: v.optional(v.string(), ""),
}));
const probeSchema = v.fallback(
  v.object({ tcpSocket: probed, httpGet: probed, grpc: probed }),
  {},
);
const statusSchema = v.fallback(
  v.object({ podIPs: v.array(v.object({ ip: v.string() })) }),
  { podIPs: [] },
);

/**
 * Opens a TCP connection to each port of some of the ready pods, to all at once, and ends it without a byte. A
 * port that refuses is one that our pod reaches, as many a program listens late, unless the kubelet has just seen
 * it listen: some networks refuse in the name of the pod (kube-router, as in k3s). None where no pod is ready,
 * or nothing can be known: the link's own troubles are others' to tell.
 */
export async function barredPorts(
  pods: readonly KubeObject[],
  { ports, wantsIPv6, link, signal, patienceMs = PATIENCE_MS }:
    BarredPortsOptions,
): Promise<BarredPort[]> {
  const known = new AbortController();
  const ended = AbortSignal.any([
    ...[signal, known.signal],
    AbortSignal.timeout(patienceMs),
  ]);
  const asked = ofManyNodes(pods.filter(isOriginal)).slice(0, MOST_PODS);
  const byTarget = new Map<ServicePort["targetPort"], Promise<string[]>>();
  const silent = ({ targetPort }: ServicePort) => {
    const addresses = asked.flatMap((pod) =>
      addressOf(pod, { targetPort, wantsIPv6 })
    );
    const looking = byTarget.get(targetPort) ??
      allSilent(addresses, link, ended);
    byTarget.set(targetPort, looking);
    return looking;
  };
  try {
    const found = await Promise.all(
      ports.filter(({ protocol }) => protocol === "TCP").map(async (one) => ({
        port: one.port,
        addresses: await silent(one),
      })),
    );
    signal.throwIfAborted();
    if (Date.now() - link.heardAt > DOUBT_MS) return [];
    return found.filter(({ addresses }) => addresses.length > 0);
  } finally {
    known.abort();
  }
}

function isOriginal(pod: KubeObject): boolean {
  return isReady(pod) && pod.metadata.deletionTimestamp === undefined &&
    label(pod, ROLE) === undefined;
}

/** In an order in which the first ones are on different nodes: one node alone may be cut off. */
function ofManyNodes(pods: readonly KubeObject[]): KubeObject[] {
  const firsts = new Map(
    pods.toReversed().map((pod) => [pod.spec?.nodeName, pod]),
  );
  const first = new Set(firsts.values());
  return [...first, ...pods.filter((pod) => !first.has(pod))];
}

interface Address {
  readonly host: string;
  readonly port: number;
  /** The pod is ready as something listens there. */
  readonly isProbed: boolean;
}

/** None where the pod has no port of that name, or no address of that family. */
function addressOf(
  { spec, status }: KubeObject,
  { targetPort, wantsIPv6 }:
    & Pick<ServicePort, "targetPort">
    & Pick<BarredPortsOptions, "wantsIPv6">,
): Address[] {
  const { podIPs } = v.parse(statusSchema, status);
  const host = podIPs.find(({ ip }) => isIPv6(ip) === wantsIPv6)?.ip;
  const containers = runningContainers(spec).map(
    ({ ports, readinessProbe }): Container => ({
      ports: v.parse(portsSchema, ports),
      probe: v.parse(probeSchema, readinessProbe),
    }),
  );
  const port = numberOf(targetPort, containers);
  if (host === undefined || port === undefined) return [];
  const isProbed = containers.some((one) => {
    const target = one.probe.tcpSocket ?? one.probe.httpGet ?? one.probe.grpc;
    return target?.host === "" && numberOf(target.port, [one]) === port;
  });
  return [{ host, port, isProbed }];
}

interface Container {
  readonly ports: v.InferOutput<typeof portsSchema>;
  readonly probe: v.InferOutput<typeof probeSchema>;
}

function numberOf(
  port: number | string,
  containers: readonly Container[],
): number | undefined {
  if (typeof port === "number") return port;
  return containers.flatMap(({ ports }) => ports)
    .find(({ name, protocol }) => name === port && protocol === "TCP")
    ?.containerPort;
}

/** All of them where none answers, else none. */
async function allSilent(
  addresses: readonly Address[],
  link: Pick<Link, "dial">,
  ended: AbortSignal,
): Promise<string[]> {
  const answering = addresses.map(async (address) => {
    if (await isSilent(address, link, ended)) {
      throw new LinkError("DIAL_TIMEOUT", "No answer");
    }
  });
  try {
    await Promise.any(answering);
    return [];
  } catch {
    return addresses.map(({ host, port }) => hostPort(host, port));
  }
}

async function isSilent(
  { host, port, isProbed }: Address,
  link: Pick<Link, "dial">,
  ended: AbortSignal,
): Promise<boolean> {
  try {
    for (const wait of backoff({ firstMs: 250, lastMs: 1_000 })) {
      const dialling = link.dial(host, port);
      dialling.then(endPolitely, () => {}); // also where it comes too late
      try {
        await Promise.race([dialling, aborted(ended)]);
        return false;
      } catch (error) {
        if (!isBarring(error, isProbed)) return ended.aborted;
      }
      await wait(ended);
    }
  } catch {
    // the time is up
  }
  return true;
}

/** What a firewall does that does not stay silent. */
function isBarring(error: unknown, isProbed: boolean): boolean {
  if (!(error instanceof LinkError)) return false;
  const { code } = error;
  return code === "DIAL_UNREACHABLE" || code === "DIAL_TIMEOUT" ||
    (isProbed && code === "DIAL_REFUSED");
}
