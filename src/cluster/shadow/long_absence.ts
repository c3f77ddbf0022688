/** Whether the agent has taken all back while this laptop was away (`--restoreAfter`). */
import { CleanupError, KtctlError, LinkError } from "../../core/errors.ts";
import { annotation, SESSION } from "../../kube/annotations.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import type { Link } from "../../link/client/link.ts";
import { type Shadow, workloadRef } from "./shadow.ts";

/** What is known of the last sign of life is so much too late at most. */
const LATE_MS = 1_000;

export class LongAbsence {
  readonly #kube: KubeApi;
  #shadow: Shadow | undefined;
  #link: Pick<Link, "heardAt"> | undefined;

  constructor(kube: KubeApi) {
    this.#kube = kube;
  }

  /** Each time that there is a link. */
  follow(shadow: Shadow, link: Pick<Link, "heardAt">): void {
    this.#shadow = shadow;
    this.#link = link;
  }

  /** The error that this session ends with, where the agent refuses us for that reason. */
  refusal(error: unknown): KtctlError | undefined {
    const isRefused = error instanceof LinkError &&
      error.code === "ATTACH_REFUSED";
    return isRefused && this.#isLong ? this.#restored(error) : undefined;
  }

  /** The same, where what it made is gone, or on its way out. */
  async whenGone(
    cause: unknown,
    signal: AbortSignal,
  ): Promise<KtctlError | undefined> {
    const shadow = this.#shadow;
    if (!this.#isLong || shadow === undefined) return undefined;
    const ref = shadow.keeper ?? workloadRef(shadow.spec);
    const found = await this.#kube.find(ref, { signal });
    const isThere = found !== undefined &&
      annotation(found, SESSION) === shadow.spec.session &&
      found.metadata.deletionTimestamp === undefined;
    return isThere ? undefined : this.#restored(cause);
  }

  /** By the clock, which goes on in sleep. */
  get #isLong(): boolean {
    const afterMs = this.#shadow?.spec.restore?.afterMs;
    return afterMs !== undefined && this.#link !== undefined &&
      Date.now() - this.#link.heardAt >= afterMs - LATE_MS;
  }

  #restored(cause: unknown): KtctlError {
    const afterMs = this.#shadow?.spec.restore?.afterMs ?? 0;
    return new CleanupError(
      RESTORED_MEANWHILE,
      `This laptop was away for more than ${
        afterMs / 1000
      } s, so its Shadow Pod has put everything back`,
      {
        hint: "Run the command again.",
        cause,
      },
    );
  }
}

const RESTORED_MEANWHILE = "RESTORED_MEANWHILE";

export function isRestoredMeanwhile(error: unknown): boolean {
  return error instanceof KtctlError && error.code === RESTORED_MEANWHILE;
}
