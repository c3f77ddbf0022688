/** One session's part in the Shadow Pod that all of a namespace share (`connect --shareShadow`). */
import { pause } from "../../core/backoff.ts";
import { Cancelled, messageOf, PermissionError } from "../../core/errors.ts";
import type { Report } from "../../core/report.ts";
import type { Scope } from "../../undo/scope.ts";
import { SHARE_NAME } from "../../kube/annotations.ts";
import type { ObjectRef } from "../../kube/kube_api.ts";
import type { World } from "../../kube/world.ts";
import { countSharers } from "./count_sharers.ts";
import { type Heartbeat, HEARTBEAT_INTERVAL_MS } from "../object/heartbeat.ts";
import { ignoredOptions } from "../pod/ignored_options.ts";
import { awaitShadowRuns, type Shadow } from "../shadow/shadow.ts";
import type { PodOptions } from "../pod/pod_options.ts";
import { joinShareStep } from "./share_join.ts";
import { readKeys, shareSpec, shareWorkloadRef } from "./share_objects.ts";
import { reconcileShare } from "./reconcile_share.ts";
import { beaten } from "./share_state.ts";
import { type Share, updateShare } from "./share_store.ts";

export interface SharedShadowOptions {
  /** Left when it ends. */
  readonly scope: Scope<World>;
  readonly report: Report;
  readonly heartbeat: Heartbeat;
  readonly namespace: string;
  readonly session: string;
  readonly user: string;
  readonly pod: PodOptions;
  readonly podTimeoutMs: number;
  /** @default as other heartbeats */
  readonly beatIntervalMs?: number;
}

export class SharedShadow {
  readonly #options: SharedShadowOptions;
  /** As it was when this session joined last; undefined when the pod was lost since. */
  #joined: Share | undefined;
  #target = "";
  #beating: readonly ObjectRef[] = [];
  #isWarned = false;

  private constructor(options: SharedShadowOptions) {
    this.#options = options;
  }

  /** Throws `ConflictError` (`SHARE_NAME_TAKEN`). */
  static async join(options: SharedShadowOptions): Promise<SharedShadow> {
    const { scope, namespace, session, user, pod, report } = options;
    const shared = new SharedShadow(options);
    const share = await scope.run(
      joinShareStep,
      { namespace, session },
      { user, pod },
    );
    shared.#joined = share;
    shared.#keep(share);
    const ignored = ignoredOptions(pod, share.state.pod);
    if (ignored.length > 0) {
      report.warn(
        "SHARED_AS_IT_IS",
        `The shared Shadow Pod already exists, as ${share.state.user} made it. This command asks for another, to no effect: ${
          ignored.join(", ")
        }`,
      );
    }
    shared.#keepAlive();
    return shared;
  }

  /** Returns once the container runs. Where the pod was lost, one of all participants makes it again. */
  async make(scope: Scope<World>): Promise<Shadow> {
    const { namespace, session, user, pod: options, podTimeoutMs } =
      this.#options;
    const making = this.#reconcile(scope);
    // what is being made when the scope ends must be there when this session leaves
    scope.defer("making the shared Shadow Pod", async () => {
      await making.catch(() => {}); // thrown below
    });
    const share = await making;
    const spec = shareSpec(share.state, namespace, { user, pod: options });
    const pod = await awaitShadowRuns(scope, spec, podTimeoutMs);
    return {
      spec,
      podName: pod.metadata.name,
      podUid: pod.metadata.uid ?? "",
      username: session,
      ...readKeys(share.secret),
    };
  }

  async #reconcile(scope: Scope<World>): Promise<Share> {
    const { namespace, session, user, pod, podTimeoutMs } = this.#options;
    const { world } = scope;
    // the step is journalled: its revert leaves, however often was joined
    const share = this.#joined ??
      await joinShareStep.apply({ namespace, session }, { user, pod }, world);
    this.#joined = undefined;
    this.#keep(share);
    const { signal } = scope;
    const maker = { user, pod };
    const isMade = await reconcileShare(world.kube, share, {
      maker,
      signal,
      patienceMs: podTimeoutMs,
    });
    if (isMade) await this.#tellMaker(share, signal);
    await countSharers(world.kube, namespace, { signal });
    return share;
  }

  /** Whoever joins later is told whose wishes the pod follows. */
  async #tellMaker(
    { state: { target, pod: { asDeployment } } }: Share,
    signal: AbortSignal,
  ): Promise<void> {
    const { scope: { world }, namespace, user, pod } = this.#options;
    const wanted = JSON.stringify({ ...pod, asDeployment });
    await updateShare(
      world.kube,
      namespace,
      (state) =>
        state.target !== target || state.closing ||
          state.user === user && JSON.stringify(state.pod) === wanted
          ? state
          : { ...state, user, pod: { ...pod, asDeployment } },
      { signal },
    );
  }

  /** What all share has a heartbeat from each of them. */
  #keep(share: Share): void {
    const { heartbeat, namespace } = this.#options;
    for (const ref of this.#beating) heartbeat.remove(ref);
    this.#target = share.state.target;
    this.#beating = [shareWorkloadRef(share.state, namespace)];
    for (const ref of this.#beating) heartbeat.add(ref);
  }

  /** Each participant tells for itself that it lives. */
  #keepAlive(): void {
    const { scope, heartbeat, beatIntervalMs = HEARTBEAT_INTERVAL_MS } =
      this.#options;
    scope.defer("heartbeat of the shared Shadow Pod", () => {
      for (const ref of this.#beating) heartbeat.remove(ref);
    });
    scope.background(
      "place in the shared Shadow Pod",
      async (signal) => {
        for (;;) {
          await pause(beatIntervalMs, signal);
          await this.#beat(signal);
        }
      },
    );
  }

  async #beat(signal: AbortSignal): Promise<void> {
    const { scope, namespace, session, user, report } = this.#options;
    const { kube } = scope.world;
    try {
      // where others took this session for dead, it is in again
      await updateShare(
        kube,
        namespace,
        (state) =>
          state.closing || state.target !== this.#target
            ? state // the pod goes, and that is noticed
            : beaten(state, { session, user }, kube.now()),
        { signal },
      );
      await countSharers(kube, namespace, { signal });
    } catch (error) {
      if (signal.aborted) throw new Cancelled();
      report.debug(
        `Cannot tell the others of "${SHARE_NAME}" that this session lives: ${
          messageOf(error)
        }`,
      );
      if (error instanceof PermissionError) this.#warn(error);
    }
  }

  #warn({ message, hint = "" }: PermissionError): void {
    if (this.#isWarned) return;
    this.#isWarned = true;
    this.#options.report.warn(
      "HEARTBEAT_REFUSED",
      `Cannot tell the others of "${SHARE_NAME}" that this session is alive, so that they will treat it as crashed: ${message}. ${hint}`,
    );
  }
}
