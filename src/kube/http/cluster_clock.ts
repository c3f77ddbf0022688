import { uptime } from "node:os";

/** What this machine's clock may be off in whole seconds of the uptime without having been set. */
const SLACK_MS = 2_500;

/**
 * The cluster's clock, as answers tell it. Between two of them this machine's own clock counts on, but
 * somebody may set it, and then the time since the start of the machine counts, which includes its sleep.
 */
export class ClusterClock {
  readonly #wallMs: () => number;
  readonly #upSeconds: () => number;
  #noted: { clusterMs: number; wallMs: number; upSeconds: number } | undefined;

  constructor(
    { wallMs = Date.now, upSeconds = uptime }: {
      wallMs?: () => number;
      upSeconds?: () => number;
    } = {},
  ) {
    this.#wallMs = wallMs;
    this.#upSeconds = upSeconds;
  }

  /** @param header `Date` of an answer */
  note(header: string | undefined): void {
    const date = Date.parse(header ?? "");
    if (Number.isNaN(date)) return;
    this.#noted = {
      // the header counts whole seconds; half of one is the mean of what it leaves out
      clusterMs: date + 500,
      wallMs: this.#wallMs(),
      upSeconds: this.#upSeconds(),
    };
  }

  /** Unix seconds; this machine's, where nothing was noted. */
  now(): number {
    if (this.#noted === undefined) return Math.floor(this.#wallMs() / 1000);
    const { clusterMs, wallMs, upSeconds } = this.#noted;
    const byWallMs = this.#wallMs() - wallMs;
    const byUptimeMs = (this.#upSeconds() - upSeconds) * 1000;
    const isSet = Math.abs(byWallMs - byUptimeMs) > SLACK_MS;
    return Math.floor((clusterMs + (isSet ? byUptimeMs : byWallMs)) / 1000);
  }
}
