import type { FollowObjectsOptions } from "../../cluster/discovery/followed_objects.ts";
import { aborted } from "../../core/aborted.ts";
import type { Scope } from "../../undo/scope.ts";
import type { World } from "../../kube/world.ts";

export interface SettlingOptions {
  readonly name: string;
  /** Tells of changes until the signal ends it. */
  readonly follow: (options: FollowObjectsOptions) => Promise<void>;
  /**
   * Makes things as they are to be now. One at a time; of changes that come meanwhile, the last
   * counts. Says in how many milliseconds it is due again without a change, if it is.
   */
  readonly settle: () => Promise<number | void>;
}

/** Keeps something as the cluster says, for as long as the scope lives. */
export class Settling {
  #isDue = false;
  #running: Promise<number | undefined> | undefined;

  private constructor(readonly settle: SettlingOptions["settle"]) {}

  /** Resolves when it was settled for the first time. Throws what the scope's signal was aborted with. */
  static async start(
    scope: Scope<World>,
    { name, follow, settle }: SettlingOptions,
  ): Promise<void> {
    const settling = new Settling(settle);
    const first = Promise.withResolvers<void>();
    const failed = Promise.withResolvers<never>();
    scope.background(name, (signal) => {
      const onChange = () =>
        void settling.#change().then((againInMs) => {
          first.resolve();
          clearTimeout(timer);
          if (againInMs === undefined || signal.aborted) return;
          timer = setTimeout(onChange, againInMs);
        }).catch(failed.reject);
      let timer: ReturnType<typeof setTimeout> | undefined;
      signal.addEventListener("abort", () => clearTimeout(timer));
      return Promise.race([follow({ signal, onChange }), failed.promise]);
    });
    await Promise.race([first.promise, scope.failed, aborted(scope.signal)]);
  }

  #change(): Promise<number | undefined> {
    this.#isDue = true;
    return this.#running ??= this.#run().finally(() =>
      this.#running = undefined
    );
  }

  async #run(): Promise<number | undefined> {
    let againInMs: number | void = undefined;
    while (this.#isDue) {
      this.#isDue = false;
      againInMs = await this.settle();
    }
    return againInMs ?? undefined;
  }
}
