import { HEARTBEAT } from "../../kube/annotations.ts";
import type { KubeObject, WatchEvent } from "../../kube/kube_api.ts";

/**
 * Tells changes from heartbeats: of an object that many share, each renews it each minute, and each one's
 * watch sees those of all.
 */
export class ChangeFilter {
  /** By uid: the object without what a heartbeat changes. */
  #seen = new Map<string, string>();

  isChange({ type, object }: Exclude<WatchEvent, { type: "SYNCED" }>): boolean {
    const { uid = "" } = object.metadata;
    if (type === "DELETED") {
      this.#seen.delete(uid);
      return true;
    }
    const before = this.#seen.get(uid);
    const now = withoutHeartbeat(object);
    this.#seen.set(uid, now);
    return now !== before;
  }
}

function withoutHeartbeat({ metadata, ...object }: KubeObject): string {
  const { resourceVersion: _, annotations, ...rest } = metadata;
  const { [HEARTBEAT]: __, ...others } = annotations ?? {};
  const named = { ...rest, managedFields: undefined, annotations: others };
  return JSON.stringify({ ...object, metadata: named });
}
