/** The last known state of what is watched, to tell what changed while nobody was looking. */
import type { KubeObject, WatchEvent } from "./kube_api.ts";

type Change<T extends KubeObject> = Exclude<
  WatchEvent<T>,
  { readonly type: "SYNCED" }
>;

export class WatchedObjects<T extends KubeObject> {
  #objects = new Map<string, T>();

  /** Takes in one event of the server. */
  apply(type: "ADDED" | "MODIFIED" | "DELETED", object: T): Change<T> {
    const key = keyOf(object);
    if (type === "DELETED") {
      this.#objects.delete(key);
      return { type, object };
    }
    const seen = this.#objects.has(key);
    this.#objects.set(key, object);
    return { type: seen ? "MODIFIED" : "ADDED", object };
  }

  /**
   * Takes in a whole new list.
   * @returns What differs from before. An object that was deleted and made again under the same
   *   name is both.
   */
  *replaceAll(items: readonly T[]): Generator<Change<T>> {
    const before = this.#objects;
    this.#objects = new Map(items.map((item) => [keyOf(item), item]));
    for (const [key, object] of before) {
      const now = this.#objects.get(key);
      if (now === undefined || now.metadata.uid !== object.metadata.uid) {
        before.delete(key);
        yield { type: "DELETED", object };
      }
    }
    for (const [key, object] of this.#objects) {
      const old = before.get(key);
      if (old === undefined) {
        yield { type: "ADDED", object };
      } else if (
        old.metadata.resourceVersion !== object.metadata.resourceVersion
      ) {
        yield { type: "MODIFIED", object };
      }
    }
  }
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ""}/${metadata.name}`;
}
