import { setTimeout as sleep } from "node:timers/promises";
import type { FaultKind, Scene } from "./fault_kinds.ts";
import type { FaultPlan } from "./fault_plan.ts";

/**
 * A fault of the whole cluster that happens to many runs at once, at the moment of each that its plan
 * has: they start their commands one after the other. One alone would leave all others waiting.
 */
export class SharedFault {
  readonly #plans: readonly FaultPlan[];
  readonly #gathered = Promise.withResolvers<void>();
  #arrived = 0;
  #happening: Promise<void | "nothing there"> | undefined;

  /** Each has one such fault, all the same. */
  constructor(plans: readonly FaultPlan[]) {
    this.#plans = plans;
  }

  /** Waits until all are prepared or have failed at it, and then until it is time to start. */
  async turnOf(plan: FaultPlan): Promise<void> {
    this.arrive();
    await this.#gathered.promise;
    const longestMs = Math.max(...this.#plans.map(untilFaultMs));
    await sleep(longestMs - untilFaultMs(plan));
  }

  /** Of one that is prepared, or over. */
  arrive(): void {
    if (++this.#arrived >= this.#plans.length) this.#gathered.resolve();
  }

  /** Begins when the first run comes to it, and is over for all at the same time. */
  happen(kind: FaultKind, scene: Scene): Promise<void | "nothing there"> {
    return this.#happening ??= kind.happen(scene);
  }
}

/** From the start of the command to the fault of the whole cluster. */
function untilFaultMs({ faults }: FaultPlan): number {
  const at = faults.findIndex(({ kind }) => kind.isOfCluster);
  return faults.slice(0, at + 1).reduce((ms, { afterMs }) => ms + afterMs, 0);
}
