/** The way from a Shadow Pod to this laptop, and the ports it serves. */
import { KtctlError, LinkError } from "../../core/errors.ts";
import { connectLocal } from "../../link/client/connect_local.ts";
import { provePath } from "../../link/client/prove_path.ts";
import type { Link } from "../../link/client/link.ts";
import { openSshLink } from "../../link/client/open_ssh_link.ts";
import { openTlsLink } from "../../link/client/open_tls_link.ts";
import type { LinkProtocol } from "../../link/wire/link_protocol.ts";
import { backoff } from "../../core/backoff.ts";
import type { Shadow } from "./shadow.ts";
import {
  type CarrierOptions,
  openShadowCarrier,
  type PodWays,
} from "./shadow_carrier.ts";

/** One port of the pod and where its connections end here. */
export interface LocalPort {
  readonly podPort: number;
  readonly localPort: number;
}

export interface LinkOptions extends Pick<CarrierOptions, "onWay"> {
  /** @default "tls", of a pod that several share "ssh" */
  readonly protocol?: LinkProtocol;
  readonly ports: readonly LocalPort[];
  /** Ends the attempt; a link that is open outlives it. */
  readonly signal: AbortSignal;
  /** Deadline of one attempt. */
  readonly timeoutMs: number;
  /** Told when a connection could not be handed to the local port. */
  readonly onLocalRefused: (port: LocalPort, error: unknown) => void;
}

/** An agent whose container runs listens after a fraction of a second, on a busy node later. */
const STARTING_MS = 1_500;

/** One attempt. Throws `LinkError` and what `openShadowCarrier` throws. */
export async function openShadowLink(
  kube: PodWays,
  shadow: Shadow,
  options: LinkOptions & Pick<CarrierOptions, "isStarting">,
): Promise<Link> {
  // the agent of a pod that several share may be of a version that speaks SSH alone
  const { protocol = shadow.spec.isShared ? "ssh" : "tls" } = options;
  const stream = await openShadowCarrier(kube, shadow, {
    ...options,
    protocol,
  });
  const open = protocol === "tls" ? openTlsLink : openSshLink;
  const link = await open(stream, {
    privateKey: shadow.clientPrivateKey,
    hostPublicKey: shadow.hostPublicKey,
    signal: options.signal,
    timeoutMs: options.timeoutMs,
    ...(shadow.username === undefined ? {} : { username: shadow.username }),
  });
  try {
    await Promise.all(
      options.ports.map((port) =>
        link.attach(port.podPort, async () => {
          try {
            return await connectLocal(port.localPort);
          } catch (error) {
            options.onLocalRefused(port, error);
            throw error;
          }
        })
      ),
    );
  } catch (error) {
    await link.close();
    throw error;
  }
  return link;
}

/**
 * Tries until the agent answers: right after its container started it needs a moment, and no event
 * tells of it before the kubelet's next probe. Gives up after `giveUpMs`.
 */
export async function awaitShadowLink(
  kube: PodWays,
  shadow: Shadow,
  options: LinkOptions & { giveUpMs: number },
): Promise<Link> {
  const startedAt = performance.now();
  for (const pause of backoff({ firstMs: 25, lastMs: 40 })) {
    const isStarting = performance.now() - startedAt < STARTING_MS;
    try {
      return await openShadowLink(kube, shadow, { ...options, isStarting });
    } catch (error) {
      options.signal.throwIfAborted();
      const isLate = performance.now() - startedAt > options.giveUpMs;
      if (isLate || !isPassing(error)) {
        throw unreachableAgent(shadow, error);
      }
    }
    await pause(options.signal);
  }
  throw unreachableAgent(shadow, undefined);
}

/** Proves each port's path through the whole chain, before any traffic is sent there. */
export async function proveLink(
  link: Link,
  ports: readonly LocalPort[],
  options: { allowRefusedLocal: boolean; timeoutMs: number },
): Promise<void> {
  await Promise.all(
    ports.map(({ podPort }) => provePath(link, { port: podPort, ...options })),
  );
}

function isPassing(error: unknown): boolean {
  return error instanceof LinkError && error.code !== "HOST_KEY_MISMATCH";
}

function unreachableAgent(shadow: Shadow, error: unknown): unknown {
  if (error instanceof KtctlError && !(error instanceof LinkError)) {
    return error;
  }
  // no trouble of the way, and the caller must know it
  if (error instanceof LinkError && error.code === "HOST_KEY_MISMATCH") {
    return error;
  }
  return new LinkError(
    "AGENT_UNREACHABLE",
    `Cannot reach the agent in pod "${shadow.podName}": ${text(error)}`,
    {
      hint:
        `Look at its log: \`kubectl logs ${shadow.podName} -n ${shadow.spec.namespace}\`.`,
      cause: error,
    },
  );
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : "no answer";
}
