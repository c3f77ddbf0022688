import { setTimeout as sleep } from "node:timers/promises";
import type { FaultKind, Scene } from "./fault_kinds.ts";
import type { FaultPlan } from "./fault_plan.ts";

/**
 * A fault of the whole cluster, the first of each of some runs, that happens to all of them at once. One
 * run alone would leave all others waiting.
 */
export class SharedFault {
  readonly #starting: readonly FaultPlan[];
  readonly #prepared: Barrier;
  readonly #ready: Barrier;
  #happening: Promise<void | "nothing there"> | undefined;

  constructor(plans: readonly FaultPlan[]) {
    this.#prepared = new Barrier(plans);
    this.#starting = plans.filter((plan) => isInStart(plan));
    this.#ready = new Barrier(plans.filter((plan) => !isInStart(plan)));
  }

  /**
   * Returns when the run is to start its command: what is to be ready starts first, and then one after
   * the other what is hit as it starts.
   */
  async turnOf(plan: FaultPlan): Promise<void> {
    this.#prepared.pass(plan);
    await this.#prepared.open;
    if (!isInStart(plan)) return;
    await this.#ready.open;
    await sleep(this.#longestMs - afterMs(plan));
  }

  /** When its moment has come for all, and until it is over. */
  async happen(
    plan: FaultPlan,
    kind: FaultKind,
    scene: Scene,
  ): Promise<void | "nothing there"> {
    this.#ready.pass(plan);
    await this.#ready.open;
    if (!isInStart(plan)) await sleep(this.#longestMs);
    return await (this.#happening ??= kind.happen(scene));
  }

  /** A run is over, however it went: nobody waits for it. */
  leave(plan: FaultPlan): void {
    this.#prepared.pass(plan);
    this.#ready.pass(plan);
  }

  get #longestMs(): number {
    return Math.max(0, ...this.#starting.map(afterMs));
  }
}

function afterMs({ faults: [first] }: FaultPlan): number {
  return first!.afterMs;
}

function isInStart({ faults: [first] }: FaultPlan): boolean {
  return first!.since === "start";
}

/** Opens when all have come to it. */
class Barrier {
  readonly #opened = Promise.withResolvers<void>();
  readonly #missing: Set<FaultPlan>;

  constructor(plans: readonly FaultPlan[]) {
    this.#missing = new Set(plans);
    if (plans.length === 0) this.#opened.resolve();
  }

  get open(): Promise<void> {
    return this.#opened.promise;
  }

  pass(plan: FaultPlan): void {
    this.#missing.delete(plan);
    if (this.#missing.size === 0) this.#opened.resolve();
  }
}
