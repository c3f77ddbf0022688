/** What the link to a Shadow Pod rides on. */
import type { Duplex } from "node:stream";
import { LinkError, PermissionError } from "../../core/errors.ts";
import {
  LINK_PATH,
  LINK_TOKEN_HEADER,
  linkToken,
  UPGRADE_NAMES,
} from "../../link/wire/link_request.ts";
import type { LinkProtocol } from "../../link/wire/link_protocol.ts";
import { within } from "../../core/within.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import type { Shadow } from "./shadow.ts";

/** So long the API server's proxy is tried alone: where a firewall is in its way, no answer ever comes. */
const HEAD_START_MS = 500;
/** So long it is waited for once more, when a port-forward is open. */
const GRACE_MS = 250;

/** The ways to a pod. */
export type PodWays = Pick<KubeApi, "portForward" | "proxyToPod">;

export interface CarrierOptions {
  /** What will be spoken on it. */
  readonly protocol: LinkProtocol;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /**
   * The agent may not listen yet: what the API server cannot connect to is told at once, without the
   * cost of a port-forward that would find the same. @default false
   */
  readonly isStarting?: boolean;
  /** Told which way the connection goes. */
  readonly onWay?: (way: "proxy" | "port-forward") => void;
}

/**
 * A connection through the API server's proxy, straight to the agent, where there is such a way; else
 * a port-forward. The proxy may be forbidden to us (`get pods/proxy`), or its way to the pod barred by
 * a network policy, a firewall or a sidecar; only that the port-forward fails too is an error.
 *
 * @throws What `KubeApi.portForward` throws; `LinkError` `POD_PROXY_FAILED` with `isStarting`, or where
 * a port-forward is forbidden and the agent did not listen.
 */
export async function openShadowCarrier(
  kube: PodWays,
  shadow: Shadow,
  options: CarrierOptions,
): Promise<Duplex> {
  const { onWay = () => {} } = options;
  using first = new ProxyAttempt(kube, shadow, options);
  const early = await first.within(HEAD_START_MS);
  if (early !== undefined) {
    onWay("proxy");
    return early;
  }
  if (first.wasTooEarly && options.isStarting) throw first.error;
  const { spec, podName: name } = shadow;
  const { namespace, agent: { sshPort: port } } = spec;
  let forward: Duplex;
  try {
    forward = await kube.portForward({ name, namespace, port }, options);
  } catch (error) {
    // The proxy is the one way then: an agent that is slow, or not up yet, is worth waiting for.
    if (!(error instanceof PermissionError)) throw error;
    const late = await first.end();
    if (late === undefined) throw first.wasTooEarly ? first.error : error;
    onWay("proxy");
    return late;
  }
  // The agent answers now. It may have come up between the two attempts.
  using again = first.wasTooEarly
    ? new ProxyAttempt(kube, shadow, options)
    : undefined;
  const late = await (again ?? first).within(GRACE_MS);
  onWay(late === undefined ? "port-forward" : "proxy");
  if (late === undefined) return forward;
  forward.destroy();
  return late;
}

/** Ends with its disposal, unless it was successful before. */
class ProxyAttempt implements Disposable {
  readonly #stop = new AbortController();
  readonly #opening: Promise<Duplex | undefined>;
  /** Why it failed. */
  error: unknown;
  #taken = false;

  constructor(
    kube: PodWays,
    { spec, podName: name, hostPublicKey }: Shadow,
    { protocol, signal, timeoutMs }: CarrierOptions,
  ) {
    const { namespace, agent: { statusPort: port } } = spec;
    this.#opening = kube.proxyToPod({ name, namespace, port }, {
      path: LINK_PATH,
      protocol: UPGRADE_NAMES[protocol],
      headers: { [LINK_TOKEN_HEADER]: linkToken(hostPublicKey) },
    }, {
      signal: AbortSignal.any([signal, this.#stop.signal]),
      timeoutMs,
    }).catch((error) => {
      this.error = error;
      return undefined;
    });
  }

  /** The API server could not connect: it is allowed, and nothing listened, or nothing let it through. */
  get wasTooEarly(): boolean {
    return this.error instanceof LinkError;
  }

  /** Undefined where it failed, or is not open by then. */
  within(ms: number): Promise<Duplex | undefined> {
    return this.#take(within(ms, this.#opening));
  }

  /** Undefined where it failed; at the latest by the deadline. */
  end(): Promise<Duplex | undefined> {
    return this.#take(this.#opening);
  }

  async #take(
    opening: Promise<Duplex | undefined>,
  ): Promise<Duplex | undefined> {
    const stream = await opening;
    this.#taken ||= stream !== undefined;
    return stream;
  }

  [Symbol.dispose](): void {
    if (this.#taken) return;
    this.#stop.abort();
    void this.#opening.then((stream) => stream?.destroy());
  }
}
