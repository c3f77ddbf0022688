/** Sessions in shared Shadow Pods that are over, as the objects of a namespace tell. */
import {
  annotation,
  label,
  SHARE_NAME,
  SHARED,
  TARGET,
} from "../../kube/annotations.ts";
import type { Found, FoundState } from "../../kube/cluster_step.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import { clientKey } from "../../link/wire/client_key.ts";
import { leavingSessions } from "../object/leaving_sessions.ts";
import { readShare } from "./share_record.ts";
import { type Sharer, type ShareState, withoutSharers } from "./share_state.ts";

/** As the step of joining a shared Shadow Pod has them. */
type FoundArgs = {
  readonly namespace: string;
  readonly session: string;
  readonly others?: string[];
};

/** Who shares a Shadow Pod has a heartbeat of their own, and the agent tells of them by name. */
export function findSharers(state: FoundState): Found<FoundArgs>[] {
  const { namespace } = state;
  return sharesOf(state.secrets.filter(state.isReadable)).flatMap((share) => {
    const over = share.sharers.filter(({ session, beat }) =>
      state.isOld(beat) && !state.isLinked(clientKey(session)) &&
      !state.isLinked(session) // an agent of before
    );
    if (over.length === 0 && !share.closing) return [];
    return [{
      args: { namespace, ...leavingSessions(over) },
      action: leaveText(share, over),
    }];
  });
}

/** What belongs to a shared Shadow Pod goes with it, or is left as it is, as that is. */
export function claimedByShares(state: FoundState): KubeObject[] {
  const shares = sharesOf(state.secrets);
  return [state.deployments, state.pods, state.configMaps, state.secrets].flat()
    .filter((object) =>
      annotation(object, SHARED) !== undefined &&
      shares.some(({ target }) => label(object, TARGET) === target)
    );
}

function sharesOf(secrets: readonly KubeObject[]): ShareState[] {
  return secrets.flatMap((one) => {
    const read = readShare(one);
    return read.reason === undefined ? [read.value] : [];
  });
}

function leaveText(share: ShareState, over: readonly Sharer[]): string {
  const users = over.map(({ user }) => user).join(", ");
  if (users === "") return `delete the shared Pod "${SHARE_NAME}"`;
  return withoutSharers(share, over.map(({ session }) => session)).closing
    ? `delete the shared Pod "${SHARE_NAME}" with the place of ${users}`
    : `take ${users} out of the shared Pod "${SHARE_NAME}"`;
}
