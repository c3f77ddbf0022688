import { ClusterError } from "../../core/errors.ts";
import { LinkOutage } from "../object/link_outage.ts";
import type { Report } from "../../core/report.ts";
import type { ForwardPod } from "./forward_pods.ts";

export interface PodChoiceOptions {
  /** Whose pods they are, for people. */
  readonly title: string;
  readonly report: Pick<Report, "event">;
}

/** One of the ready pods: the same for as long as it is ready, so that a client's session stays there. */
export class PodChoice {
  readonly #options: PodChoiceOptions;
  #ready: readonly ForwardPod[] = [];
  #current: ForwardPod | undefined;
  readonly #outage: LinkOutage;
  #changed = Promise.withResolvers<void>();

  constructor(options: PodChoiceOptions) {
    this.#options = options;
    this.#outage = new LinkOutage(options.report);
  }

  /** Takes in what pods are ready now, best first. */
  update(ready: readonly ForwardPod[]): void {
    this.#ready = ready;
    const last = this.#current;
    this.#current = ready.find((pod) => isSame(pod, last)) ?? ready[0];
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
    if (last !== undefined && !isSame(last, this.#current)) {
      this.#outage.begin(`Pod "${last.name}" is no longer ready`);
    }
    if (this.#current !== undefined) this.#outage.end();
  }

  /**
   * The pod to use now. Waits where none is ready.
   *
   * @param options.failed One that could not be reached: another is preferred, else its next change
   *   is waited for.
   * @throws {ClusterError} `NO_READY_POD` when time is up.
   */
  async get(
    options: { failed?: ForwardPod; timeoutMs: number; signal: AbortSignal },
  ): Promise<ForwardPod> {
    const { failed, timeoutMs, signal } = options;
    const pod = this.#pick(failed);
    if (pod !== undefined) return pod;
    const ended = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const isOver = Promise.withResolvers<void>();
    const end = () => isOver.resolve();
    ended.addEventListener("abort", end, { once: true });
    try {
      while (!ended.aborted) {
        await Promise.race([this.#changed.promise, isOver.promise]);
        const pod = this.#pick(failed) ?? this.#current;
        if (!ended.aborted && pod !== undefined) return pod;
      }
      signal.throwIfAborted();
      throw this.#noPod(timeoutMs);
    } finally {
      ended.removeEventListener("abort", end);
    }
  }

  #pick(failed: ForwardPod | undefined): ForwardPod | undefined {
    return isSame(this.#current, failed)
      ? this.#ready.find((one) => !isSame(one, failed))
      : this.#current;
  }

  #noPod(timeoutMs: number): ClusterError {
    const seconds = Math.round(timeoutMs / 1000);
    return new ClusterError(
      "NO_READY_POD",
      `No pod of ${this.#options.title} was ready within ${seconds} s`,
      {
        hint: "Look at its pods with `kubectl get pods`.",
      },
    );
  }
}

function isSame(a: ForwardPod | undefined, b: ForwardPod | undefined): boolean {
  return a !== undefined && a.uid === b?.uid && a.name === b.name &&
    a.port === b.port;
}
