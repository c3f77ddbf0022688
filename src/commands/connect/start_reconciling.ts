import type { FollowObjectsOptions } from "../../cluster/discovery/followed_objects.ts";
import { Changes } from "../../cluster/object/changes.ts";
import { reconcile } from "../../cluster/object/reconcile.ts";
import { aborted } from "../../core/aborted.ts";
import type { World } from "../../kube/world.ts";
import type { Scope } from "../../undo/scope.ts";

export interface StartReconcilingOptions {
  readonly name: string;
  /** Tells of changes until the signal ends it. */
  readonly follow: (options: FollowObjectsOptions) => Promise<void>;
  /** As of {@link reconcile}. */
  readonly work: () => Promise<number | void>;
}

/**
 * Keeps something as the cluster says, for as long as the scope lives. Resolves when it was so for the
 * first time. Throws what the scope's signal was aborted with.
 */
export async function startReconciling(
  scope: Scope<World>,
  { name, follow, work }: StartReconcilingOptions,
): Promise<void> {
  const first = Promise.withResolvers<void>();
  scope.background(name, async (signal) => {
    const changes = new Changes();
    const onChange = () => changes.add();
    const onDone = first.resolve;
    await Promise.race([
      // changes may be told by others when nothing can be followed any more
      follow({ signal, onChange }).then(() => aborted(signal)),
      reconcile(work, { changes, signal, onDone }),
    ]);
  });
  await Promise.race([first.promise, scope.failed, aborted(scope.signal)]);
}
