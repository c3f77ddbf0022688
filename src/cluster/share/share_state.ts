/** Who uses the shared Shadow Pod of a namespace, and how it was made: kept on its Secret. */
import { ConflictError } from "../../core/errors.ts";
import { isOlder } from "../object/liveness.ts";
import type { AgentConfig } from "../../link/agent/agent_config.ts";
import type { PodOptions } from "../pod/pod_options.ts";

/** One session's part in it. */
export interface Sharer {
  readonly session: string;
  readonly user: string;
  /** Unix seconds by the cluster's clock: since when it has been there. */
  readonly since: number;
  /** The same: its last heartbeat. */
  readonly beat: number;
}

export interface ShareState {
  /** Value of the label `kt-target` of all that belongs together: another one is another shadow. */
  readonly target: string;
  /** Who made the pod that there is. */
  readonly user: string;
  /**
   * As its maker wanted it. Whoever makes the pod again does so by options of their own, but for
   * whether it is a Deployment.
   */
  readonly pod: PodOptions;
  readonly agent: AgentConfig;
  readonly sharers: readonly Sharer[];
  /** The last one left: all is being taken away, nobody may join. */
  readonly closing?: true;
}

export function isSharer(state: ShareState, session: string): boolean {
  return state.sharers.some((one) => one.session === session);
}

/** A record with more is not read. */
export const MAX_SHARERS = 500;

/**
 * With the session in it, alive as of `now`. Also for one that others took for dead. Where there is no
 * room, those go that are dead by their heartbeats.
 *
 * @throws {ConflictError} `SHARE_FULL`
 */
export function beaten(
  state: ShareState,
  { session, user }: Pick<Sharer, "session" | "user">,
  now: number,
): ShareState {
  let others = state.sharers.filter((one) => one.session !== session);
  if (others.length >= MAX_SHARERS) {
    others = others.filter(({ beat }) => !isOlder(beat, { now }));
  }
  if (others.length >= MAX_SHARERS) {
    throw new ConflictError(
      "SHARE_FULL",
      `Cannot share the Shadow Pod: ${others.length} sessions have it`,
      { hint: "Use a Shadow Pod of your own." },
    );
  }
  const before = state.sharers.find((one) => one.session === session);
  const me = { session, user, since: before?.since ?? now, beat: now };
  return { ...state, sharers: [...others, me] };
}

/** Without the sessions; closing where nobody else is left. The same where nothing changes. */
export function withoutSharers(
  state: ShareState,
  sessions: readonly string[],
): ShareState {
  const sharers = state.sharers.filter(({ session }) =>
    !sessions.includes(session)
  );
  if (sharers.length === 0) return { ...state, sharers, closing: true };
  return sharers.length === state.sharers.length
    ? state
    : { ...state, sharers };
}
