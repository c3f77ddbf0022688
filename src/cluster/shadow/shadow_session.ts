/**
 * Keeps a Shadow Pod and the link to it alive for as long as the command runs.
 *
 * set-up: shadow → link → what the command does with it (`prepare`).
 * Link lost: reconnect until it is back.
 * Pod lost: give back first what the command did, then everything anew.
 */
import { aborted } from "../../core/aborted.ts";
import { retry } from "../../core/retry.ts";
import {
  Cancelled,
  ConflictError,
  type KtctlError,
  LinkError,
  messageOf,
} from "../../core/errors.ts";
import { RepairPace } from "../object/repair_pace.ts";
import { disturbances } from "../../core/machine/disturbances.ts";
import type { Report } from "../../core/report.ts";
import type { Scope } from "../../undo/scope.ts";
import { randomLower } from "../../core/random_name.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import type { World } from "../../kube/world.ts";
import type { LinkProtocol } from "../../link/wire/link_protocol.ts";
import type { Link } from "../../link/client/link.ts";
import type { Heartbeat } from "../object/heartbeat.ts";
import { LinkOutage } from "../object/link_outage.ts";
import { isRestoredMeanwhile, LongAbsence } from "./long_absence.ts";
import { podLoss, released } from "./pod_loss.ts";
import { nodeSilence } from "../pod/node_silence.ts";
import { awaitPod } from "../pod/pod_ready.ts";
import { isFinal, linkOr, LONGEST_WAIT_MS, reopenLink } from "./reopen_link.ts";
import { refuseReplacedPod } from "./refuse_replaced_pod.ts";
import { tellOnce } from "../../core/tell_once.ts";
import { createShadow, podOf, type Shadow } from "./shadow.ts";
import {
  awaitShadowLink,
  type LinkOptions,
  type LocalPort,
  openShadowLink,
} from "./shadow_link.ts";
import type { ShadowSpec } from "./shadow_objects.ts";

export interface ShadowSessionOptions {
  readonly scope: Scope<World>;
  readonly report: Report;
  readonly heartbeat: Heartbeat;
  /**
   * The Shadow Pod; `name` is the prefix to which random letters are added each time it is made. Or who
   * makes it, and keeps it beyond this session.
   */
  readonly spec: ShadowSpec | ShadowMaker;
  /** The pod's name is that of `spec` itself. @default false */
  readonly hasFixedName?: boolean;
  /** Ports of the pod whose connections come here. @default none */
  readonly ports?: readonly LocalPort[];
  /** Told when one of them could not be handed to its local port. */
  readonly onLocalRefused?: LinkOptions["onLocalRefused"];
  readonly podTimeoutMs: number;
  readonly linkTimeoutMs: number;
  /** @default the fastest that every agent speaks which may be there */
  readonly linkProtocol?: LinkProtocol;
  /** Told of each link, before it is used. Where it fails the link counts as not come about. */
  readonly onLink?: (link: Link) => void | Promise<void>;
  /** Works with each new shadow. What it does goes through the scope, reverted when the shadow is lost. */
  readonly prepare?: (prepared: Prepared) => Promise<void>;
  /** Told of the pod that serves each time that it is another. */
  readonly onPod?: (pod: KubeObject) => void;
  /** Asked when the shadow is lost, before anything is reverted: whether somebody took the Service back. */
  readonly isReleased?: () => Promise<boolean>;
}

export interface ShadowMaker {
  /** Returns once the container runs. */
  make(scope: Scope<World>): Promise<Shadow>;
}

/** A shadow and the first link to it. */
export interface Prepared {
  readonly scope: Scope<World>;
  readonly shadow: Shadow;
  readonly link: Link;
}

interface Established {
  readonly scope: Scope<World>;
  readonly shadow: Shadow;
  link: Link;
}

/** On leaving, answers that are under way get so long to finish. */
const LINK_GRACE_MS = 1_000;

/** A link whose answers to a ping each second stay away for so long is in doubt. */
const DOUBT_MS = 1_500;

/** As the kubelet's own: what runs for so long counts as well again. */
const CALM_MS = 600_000;

export class ShadowSession {
  #options: ShadowSessionOptions;
  /** A pod that ends again and again takes the traffic less and less often. */
  #pace = new RepairPace({ calmMs: CALM_MS, longestMs: 60_000 });
  #isUnkeptTold = false;
  /** On which the last pod was lost, while the cluster still counts on it. */
  #silentNode: string | undefined;
  readonly #outage: LinkOutage;
  readonly #absence: LongAbsence;

  constructor(options: ShadowSessionOptions) {
    this.#options = options;
    this.#absence = new LongAbsence(options.scope.world.kube);
    this.#outage = new LinkOutage(options.report);
  }

  /** Sets up, calls `onReady`, and serves until the scope ends. Throws what ends it. */
  async run(onReady: () => void | Promise<void>): Promise<never> {
    const { scope: { signal } } = this.#options;
    try {
      return await this.#run(onReady);
    } catch (error) {
      if (signal.aborted || isRestoredMeanwhile(error)) throw error;
      const gone = this.#absence.whenGone(error, signal);
      throw await gone.catch(() => undefined) ?? error;
    }
  }

  async #run(onReady: () => void | Promise<void>): Promise<never> {
    let established = await this.#establish();
    await onReady();
    for (;;) {
      const reason = await this.#serve(established);
      established = await this.#replace(established, reason);
    }
  }

  /** Sets up a shadow from nothing; takes back its part where that fails. */
  async #establish(): Promise<Established> {
    const scope = this.#options.scope.child("shadow");
    try {
      return await this.#setUp(scope);
    } catch (error) {
      // at the end of the command the whole scope is disposed, with its errors told
      if (!this.#options.scope.signal.aborted) {
        await scope.dispose().catch((left) =>
          this.#options.report.debug(messageOf(left))
        );
      }
      throw error;
    }
  }

  async #setUp(scope: Scope<World>): Promise<Established> {
    const { report, onLink, prepare } = this.#options;
    const shadow = await report.step(
      "start the Shadow Pod",
      () => this.make(scope),
    );
    const link = await report.step(
      "connect to the Shadow Pod",
      () => this.#connect(scope, shadow),
    );
    const established = { scope, shadow, link };
    scope.defer(
      "link",
      () => established.link.close({ graceMs: LINK_GRACE_MS }),
    );
    this.#absence.follow(shadow, link);
    await onLink?.(link);
    await prepare?.({ scope, shadow, link });
    return established;
  }

  /** Makes the Shadow Pod, with all that belongs to it, in a scope that takes it back. */
  make(scope: Scope<World>): Promise<Shadow> {
    const { spec, hasFixedName, heartbeat, podTimeoutMs } = this.#options;
    if ("make" in spec) return spec.make(scope);
    const partsName = `${spec.name}-${randomLower(5)}`;
    const name = hasFixedName ? spec.name : partsName;
    const node = this.#silentNode;
    const pod = node === undefined
      ? spec.pod
      : { ...spec.pod, notOnNode: node };
    const made = { ...spec, name, partsName, pod };
    return createShadow(scope, made, {
      heartbeat,
      podTimeoutMs,
      onUnkept: (refusal) => this.#tellUnkept(refusal),
    });
  }

  #tellUnkept({ message }: KtctlError): void {
    if (this.#isUnkeptTold) return;
    this.#isUnkeptTold = true;
    this.#options.report.warn(
      "SHADOW_NOT_KEPT",
      `If the Shadow Pod is deleted or evicted while this laptop is gone, nothing answers until it is back, because the pod was made without a ReplicaSet: ${message}`,
    );
  }

  /** The first link, as soon as the agent listens; an agent that cannot start is no reason to wait. */
  async #connect(scope: Scope<World>, shadow: Shadow): Promise<Link> {
    const { podTimeoutMs } = this.#options;
    const { kube } = scope.world;
    const ended = new AbortController();
    const signal = AbortSignal.any([scope.signal, ended.signal]);
    const failing = awaitPod(kube, {
      ...podOf(shadow.spec),
      timeoutMs: podTimeoutMs,
      signal,
      until: () => false,
    });
    failing.catch(() => {}); // read below, unless the link is first
    try {
      const opening = this.#refusePod(
        shadow,
        awaitShadowLink(kube, shadow, {
          ...this.#linkOptions(signal),
          giveUpMs: podTimeoutMs,
        }),
      );
      return await linkOr(opening, failing as Promise<never>);
    } finally {
      ended.abort(new Cancelled());
    }
  }

  /** Resolves with the reason when the pod is lost; reconnects the link as often as it takes. */
  async #serve(established: Established): Promise<string> {
    const { scope, report, onPod } = this.#options;
    const watching = new AbortController();
    const signal = AbortSignal.any([scope.signal, watching.signal]);
    const podLost = Promise.race([
      podLoss(scope.world.kube, established.shadow, {
        signal,
        onInterrupted: (reason) =>
          report.debug(`Cannot watch the Shadow Pod: ${reason}`),
        onStarved: (message) => report.warn("POD_OUT_OF_MEMORY", message),
        ...(onPod && { onPod }),
      }),
      this.#nodeLoss(established, signal),
    ]);
    podLost.catch(() => {}); // also read below; a late end of the watch is nobody's error
    try {
      for (;;) {
        const outcome = await Promise.race([
          podLost,
          scope.failed,
          aborted(scope.signal),
          established.link.closed.then((error) => ({
            linkLost: error?.message ?? "the connection ended",
          })),
        ]);
        if (typeof outcome === "string") return outcome;
        const back = await this.#reconnect(
          established,
          outcome.linkLost,
          podLost,
        );
        if (back !== undefined) return back;
      }
    } finally {
      watching.abort();
    }
  }

  /** Resolves with the reason when the pod's node is gone. */
  async #nodeLoss(
    established: Established,
    signal: AbortSignal,
  ): Promise<string> {
    const { podName: name, spec: { namespace, agent } } = established.shadow;
    const { node } = await nodeSilence(established.scope.world.kube, {
      port: { name, namespace, port: agent.statusPort },
      doubtAtMs: () => established.link.heardAt + DOUBT_MS,
      signal,
    });
    this.#silentNode = node;
    return `the API server reaches neither the Shadow Pod nor its node${
      node === undefined ? "" : ` "${node}"`
    }`;
  }

  /** Undefined when the link is back; the reason when the pod was lost meanwhile. */
  async #reconnect(
    established: Established,
    lost: string,
    podLost: Promise<string>,
  ): Promise<string | undefined> {
    const { scope, report, heartbeat } = this.#options;
    this.#outage.begin(lost, established.link.heardAt);
    // what else went over the same network may be dead, too, and find out much later
    disturbances.tell();
    const outcome = await reopenLink(
      (signal) => this.#openAgain(established.shadow, signal),
      {
        lost: Promise.race([podLost, scope.failed]),
        signal: scope.signal,
        report,
      },
    );
    if (typeof outcome === "string") return outcome;
    established.link = outcome;
    this.#absence.follow(established.shadow, outcome);
    this.#outage.end();
    // after a long sleep the last one is old enough for others to take us for dead
    void heartbeat.beat();
    return undefined;
  }

  async #openAgain(shadow: Shadow, signal: AbortSignal): Promise<Link> {
    const { scope, onLink } = this.#options;
    const options = this.#linkOptions(signal);
    const opening = openShadowLink(scope.world.kube, shadow, options)
      .catch((error) => {
        throw this.#absence.refusal(error) ?? error;
      });
    const link = await this.#refusePod(shadow, opening);
    try {
      await onLink?.(link);
      return link;
    } catch (error) {
      await link.close();
      throw error;
    }
  }

  #refusePod(shadow: Shadow, opening: Promise<Link>): Promise<Link> {
    const { scope: { world: { kube }, signal } } = this.#options;
    return refuseReplacedPod(opening, { kube, shadow, signal });
  }

  /** Gives back what led to the lost pod, then sets up anew, as often as it takes. */
  async #replace(lost: Established, reason: string): Promise<Established> {
    const { scope, report } = this.#options;
    this.#outage.begin(reason);
    const told = new Set<string>();
    const again = <T>(work: () => Promise<T>): Promise<T> =>
      retry(work, {
        signal: scope.signal,
        ended: scope.failed,
        longestMs: LONGEST_WAIT_MS,
        isPassing: (error) => {
          if (error instanceof ConflictError || isFinal(error)) return false;
          tellOnce(report, error, told);
          return true;
        },
      });
    await again(() => this.#refuseRestored(reason));
    await again(() => this.#refuseReleased());
    await again(() => lost.scope.dispose());
    await Promise.race([this.#pace.wait(scope.signal), scope.failed]);
    const established = await again(() => this.#establish());
    this.#pace.repaired();
    this.#outage.end();
    return established;
  }

  async #refuseRestored(reason: string): Promise<void> {
    const { signal } = this.#options.scope;
    const error = await this.#absence.whenGone(
      new LinkError("POD_LOST", reason),
      signal,
    );
    if (error !== undefined) throw error;
  }

  async #refuseReleased(): Promise<void> {
    if (await this.#options.isReleased?.()) throw released("somebody");
  }

  #linkOptions(signal: AbortSignal): LinkOptions {
    const { ports = [], linkTimeoutMs, linkProtocol, onLocalRefused, report } =
      this.#options;
    return {
      ports,
      ...(linkProtocol === undefined ? {} : { protocol: linkProtocol }),
      signal,
      onWay: (way) =>
        report.debug(
          way === "proxy"
            ? "The link goes to the pod through the API server's proxy"
            : "The link goes by port-forward: the API server's proxy does not reach the pod",
        ),
      timeoutMs: linkTimeoutMs,
      onLocalRefused: onLocalRefused ?? (() => {}),
    };
  }
}
