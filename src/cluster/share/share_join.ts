/** Joining the shared Shadow Pod of a namespace: an entry on its Secret, which is made with the first. */
import * as v from "valibot";
import { ConflictError, PermissionError } from "../../core/errors.ts";
import { randomLetters } from "../../core/random_name.ts";
import type { ClusterStep } from "../../kube/cluster_step.ts";
import { annotation, SHARE_NAME, SHARED } from "../../kube/annotations.ts";
import type { KubeApi, Resource } from "../../kube/kube_api.ts";
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  PODS,
  SECRETS,
} from "../../kube/resources.ts";
import { objectName, sessionId } from "../../kube/object_syntax.ts";
import { generateKeyPair } from "../../link/client/ssh_keys.ts";
import { agentConfig } from "../shadow/pod_ports.ts";
import type { PodOptions } from "../pod/pod_options.ts";
import { claimedByShares, findSharers } from "./find_sharers.ts";
import { closeShare, leaveShare } from "./share_leave.ts";
import { updateOrCreate } from "../object/update_or_create.ts";
import { shareSecret } from "./share_objects.ts";
import { beaten, isSharer, type ShareState } from "./share_state.ts";
import {
  findShare,
  type Share,
  shareNameTaken,
  updateShare,
} from "./share_store.ts";

export type JoinShareArgs = v.InferOutput<typeof schema>;

const schema = v.object({
  namespace: objectName,
  session: sessionId,
  /** More sessions that leave with it, of those that were found to be over. */
  others: v.exactOptional(v.array(sessionId)),
});

export interface JoinShareInput {
  readonly user: string;
  /** How the pod is to be where there is none yet. */
  readonly pod: PodOptions;
}

/** One that was closed half way is waited for, and helped, for so long. */
const CLOSING_TIMEOUT_MS = 30_000;

/** With it somebody keeps the shared pod. Its revert leaves, and takes all of it away where nobody else is there. */
export const joinShareStep: ClusterStep<JoinShareArgs, JoinShareInput, Share> =
  {
    id: "connect.share",
    schema,
    describe: () => `place in the shared Shadow Pod "${SHARE_NAME}"`,
    undoCommand: ({ namespace }) =>
      `ktctl clean -n ${namespace} --thresholdInMinus 0`,
    apply: (args, input, { kube }) => join(kube, args, input),
    isRefusal: (error) =>
      error instanceof ConflictError || error instanceof PermissionError,
    async isPresent({ namespace, session }, { kube }, signal) {
      const share = await findShare(kube, namespace, { signal });
      return share !== undefined &&
        (share.state.closing === true || isSharer(share.state, session));
    },
    revert({ namespace, session, others = [] }, { kube }, signal) {
      const sessions = [session, ...others];
      return leaveShare(kube, { namespace, sessions }, signal);
    },
    find: findSharers,
    claims: claimedByShares,
  };

/** Throws `ConflictError` (`SHARE_NAME_TAKEN`). */
async function join(
  kube: KubeApi,
  { namespace, session }: JoinShareArgs,
  { user: name, pod }: JoinShareInput,
): Promise<Share> {
  const user = name.slice(0, 128);
  const enter = (state: ShareState) =>
    state.closing ? state : beaten(state, { session, user }, kube.now());
  const update = async (): Promise<Share | undefined> => {
    for (;;) {
      const found = await updateShare(kube, namespace, enter);
      if (!found?.state.closing) return found;
      // its last user is just leaving, or died while doing so
      const signal = AbortSignal.timeout(CLOSING_TIMEOUT_MS);
      await closeShare(kube, found, signal);
    }
  };
  return await updateOrCreate(update, async () => {
    await refuseForeign(kube, namespace);
    const state = enter({
      target: randomLetters(20),
      user,
      pod,
      agent: agentConfig([], { ready: "always" }),
      sharers: [],
    });
    const [host, client] = [generateKeyPair(), generateKeyPair()];
    const secret = shareSecret(state, { namespace, host, client });
    return { state, secret: await kube.create(SECRETS, secret) };
  });
}

/** Finds what another program made under our name, before anything is changed. */
async function refuseForeign(kube: KubeApi, namespace: string): Promise<void> {
  const find = async (resource: Resource) => {
    try {
      return await kube.find({ resource, name: SHARE_NAME, namespace });
    } catch (error) {
      // who may not look at Deployments cannot be kept from a Pod for that
      if (error instanceof PermissionError) return undefined;
      throw error;
    }
  };
  const found = await Promise.all([PODS, DEPLOYMENTS, CONFIG_MAPS].map(find));
  for (const object of found) {
    const isOnItsWayOut = object?.metadata.deletionTimestamp !== undefined;
    if (
      object !== undefined && !isOnItsWayOut &&
      annotation(object, SHARED) === undefined
    ) throw shareNameTaken(object);
  }
}
