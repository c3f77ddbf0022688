import { annotation, SESSION } from "../../kube/annotations.ts";
import type { AnyClusterStep } from "../../kube/cluster_step.ts";
import { KtctlError } from "../../core/errors.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import type { DeadJournal } from "../../undo/journal.ts";
import { findChanges, type FoundChange } from "./find_changes.ts";
import { readNamespace } from "./read_namespace.ts";
import { unreadableObjects } from "./unreadable.ts";

/**
 * What the objects tell that a dead session has to give back, where its journal does not: a disk that
 * was damaged may have lost its last lines, and what the first ones tell of serves others until then.
 */
export async function lostRestores(
  kube: KubeApi,
  { header, pending }: DeadJournal,
  { steps, signal }: {
    steps: ReadonlyMap<string, AnyClusterStep>;
    signal: AbortSignal;
  },
): Promise<FoundChange[]> {
  const isTold = pending.some(({ step: id }) => {
    const step = steps.get(id);
    return step === undefined || step.restores === true; // an unknown one may
  });
  if (isTold || pending.length === 0) return [];
  const { namespace, session } = header;
  const isOver = (object: KubeObject) =>
    annotation(object, SESSION) === session;
  try {
    const state = await readNamespace(kube, {
      ...{ signal, namespace },
      report: { warn() {} }, // what is not seen here is left as well
    });
    const unreadable = new Set(
      unreadableObjects(state).map(({ object }) => object),
    );
    const ofSession = {
      ...{ ...state, namespace, now: kube.now(), isOver },
      // those are about others who share something with it
      ...{ isOld: () => false, isLinked: () => true },
      isReadable: (object: KubeObject) => !unreadable.has(object),
    };
    const found = await findChanges(ofSession, steps.values(), () => {});
    return found.filter(({ step }) => step.restores === true);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof KtctlError)) throw error;
    return []; // the journal is all that there is to go by
  }
}
