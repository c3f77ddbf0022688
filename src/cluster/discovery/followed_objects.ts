import type {
  KubeApi,
  KubeObject,
  Resource,
  WatchEvent,
} from "../../kube/kube_api.ts";
import { unlessRefused } from "../../kube/unless_refused.ts";

export interface FollowObjectsOptions {
  readonly signal: AbortSignal;
  /** Told when everything is known, and after each change from then on. */
  readonly onChange: () => void;
}

/** The objects of one kind as they are now, by watch. */
export class FollowedObjects {
  readonly #objects = new Map<string, KubeObject>();

  get all(): KubeObject[] {
    return [...this.#objects.values()];
  }

  /**
   * Follows a kind in one namespace, "" for all, until the signal ends it. False, at once, where it
   * may not be watched or the server has no such kind.
   */
  follow(
    kube: KubeApi,
    resource: Resource,
    options: FollowObjectsOptions & { readonly namespace?: string },
  ): Promise<boolean> {
    const { namespace, signal } = options;
    const request = {
      signal,
      isPatient: true,
      ...(namespace !== undefined && { namespace }),
    };
    return this.followEvents(kube.watch(resource, request), options);
  }

  /** The same for a watch that was asked for elsewhere. */
  async followEvents(
    events: AsyncIterable<WatchEvent>,
    { onChange }: Pick<FollowObjectsOptions, "onChange">,
  ): Promise<boolean> {
    const isOver = await unlessRefused(async () => {
      let isSynced = false;
      for await (const event of events) {
        if (event.type === "SYNCED") isSynced = true;
        else this.#apply(event.type, event.object);
        if (isSynced) onChange();
      }
      return true;
    });
    return isOver ?? false;
  }

  #apply(type: "ADDED" | "MODIFIED" | "DELETED", object: KubeObject): void {
    const { namespace = "", name } = object.metadata;
    const key = `${namespace}/${name}`;
    if (type === "DELETED") this.#objects.delete(key);
    else this.#objects.set(key, object);
  }
}
