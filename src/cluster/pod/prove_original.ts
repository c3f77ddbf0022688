/** The proof that a pod of ours reaches the pods behind a Service, before the Service leads to it. */
import { isIPv6 } from "node:net";
import { Cancelled, KtctlError, UnsupportedError } from "../../core/errors.ts";
import {
  isSwitched,
  labelSelector,
  originalSelector,
  ROLE,
} from "../../kube/annotations.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { PODS, SERVICES } from "../../kube/resources.ts";
import { servicePorts } from "../service/expose.ts";
import {
  type BarredPort,
  barredPorts,
  type BarredPortsOptions,
} from "./barred_ports.ts";

export interface OriginalProof
  extends Pick<BarredPortsOptions, "link" | "signal" | "patienceMs"> {
  /** As it was when the session was planned. */
  readonly service: KubeObject;
  /** The Stuntman Service's address: the pods are sent to by its family. */
  readonly fallbackHost: string;
  /** Of our pod: the value of its label `kt-role`. */
  readonly role: string;
  /** A router passes on what is not marked, so that it is everybody's. @default false */
  readonly isRouted?: boolean;
  /** The Service's ports that lead to the laptop: of an exchange, the others lead to its pods at all times. */
  readonly exposed: ReadonlySet<number>;
  readonly warn: (code: string, message: string) => void;
}

const CODE = "ORIGINAL_UNREACHABLE";

/** Of which a few are asked: thousands would take time to read. */
const MOST_LISTED = 100;

/**
 * Whether our pod reaches the pods behind a Service on all ports, as far as can be known; true also where none is
 * ready, and where the Service leads to a pod of ours already. Warns where not.
 *
 * @throws {UnsupportedError} `ORIGINAL_UNREACHABLE` in place of the warning, where it `isRouted`.
 */
export async function proveOriginal(
  kube: KubeApi,
  proof: OriginalProof,
): Promise<boolean> {
  const barred = await lookAt(kube, proof);
  if (barred.length === 0) return true;
  if (proof.isRouted) throw refusal(proof, barred);
  proof.warn(CODE, warning(proof, barred));
  return false;
}

async function lookAt(
  kube: KubeApi,
  { service, fallbackHost, ...options }: OriginalProof,
): Promise<BarredPort[]> {
  const { name, namespace = kube.namespace } = service.metadata;
  const { signal } = options;
  const selector = originalSelector(service);
  if (Object.keys(selector).length === 0) return []; // nobody knows its pods
  try {
    const [current, pods] = await Promise.all([
      kube.find({ resource: SERVICES, name, namespace }, { signal }),
      kube.list(PODS, {
        namespace,
        labelSelector: labelSelector(selector),
        most: MOST_LISTED,
        signal,
      }),
    ]);
    // a router that serves: what goes through it does so already
    if (isSwitched(current?.spec?.selector)) return [];
    return await barredPorts(pods, {
      ...options,
      ports: servicePorts(service),
      wantsIPv6: isIPv6(fallbackHost),
    });
  } catch (error) {
    // what fails for others as well is theirs to tell
    if (error instanceof KtctlError && !(error instanceof Cancelled)) return [];
    throw error;
  }
}

function refusal(
  { service, role }: OriginalProof,
  barred: readonly BarredPort[],
): UnsupportedError {
  return new UnsupportedError(
    CODE,
    `Cannot mesh Service "${service.metadata.name}": our pods do not reach its pods on ${
      portsText(barred)
    }, and the requests of all others would end there`,
    {
      hint:
        `A NetworkPolicy is the likely reason: let it admit pods whose label ${ROLE} is router, and those where it is ${role}.`,
      details: barred.flatMap(({ addresses }) => addresses).map((address) =>
        `no answer from ${address}`
      ),
    },
  );
}

function warning(
  { service, role, exposed }: OriginalProof,
  barred: readonly BarredPort[],
): string {
  const later = barred.filter(({ port }) => exposed.has(port));
  const atOnce = barred.filter(({ port }) => !exposed.has(port));
  const effects = [
    ...later.length === 0
      ? []
      : [`on ${portsText(later)} nobody answers while this laptop does not`],
    ...atOnce.length === 0 ? [] : [
      `on ${
        portsText(atOnce)
      }, which does not come here, nobody answers until the end`,
    ],
  ];
  return `The Shadow Pod does not reach the pods behind Service "${service.metadata.name}": ${
    effects.join("; ")
  }. A NetworkPolicy is the likely reason: let it admit pods whose label ${ROLE} is ${role}`;
}

function portsText(barred: readonly BarredPort[]): string {
  return `port ${[...new Set(barred.map(({ port }) => port))].join(", ")}`;
}
