/** Tells others, by an annotation on each object we hold, that this session lives. */
import { HEARTBEAT } from "../../kube/annotations.ts";
import type { KubeApi, ObjectRef } from "../../kube/kube_api.ts";
import { messageOf, PermissionError } from "../../core/errors.ts";

/** The original ktctl counts an object as abandoned after five minutes. */
export const HEARTBEAT_INTERVAL_MS = 60_000;

export interface HeartbeatLog {
  warn(code: string, message: string): void;
  debug(message: string): void;
}

export class Heartbeat implements Disposable {
  #kube: KubeApi;
  #refs = new Map<string, ObjectRef>();
  #timer: ReturnType<typeof setInterval>;
  #log: HeartbeatLog;
  #warned = new Set<string>();

  constructor(
    kube: KubeApi,
    log: HeartbeatLog,
    intervalMs = HEARTBEAT_INTERVAL_MS,
  ) {
    this.#kube = kube;
    this.#log = log;
    this.#timer = setInterval(() => void this.beat(), intervalMs);
  }

  add(ref: ObjectRef): void {
    this.#refs.set(key(ref), ref);
  }

  remove(ref: ObjectRef): void {
    this.#refs.delete(key(ref));
  }

  /** Renews all; what fails is tried again at the next beat. */
  async beat(): Promise<void> {
    await Promise.all([...this.#refs.values()].map((ref) => this.#renew(ref)));
  }

  async #renew(ref: ObjectRef): Promise<void> {
    const patch = {
      metadata: { annotations: { [HEARTBEAT]: String(this.#kube.now()) } },
    };
    try {
      await this.#kube.patch(ref, patch, { type: "merge", timeoutMs: 10_000 });
    } catch (error) {
      this.#log.debug(
        `Cannot renew the heartbeat of ${key(ref)}: ${messageOf(error)}`,
      );
      if (error instanceof PermissionError) this.#warn(ref, error);
    }
  }

  /** Once a kind: time does not mend it, and others' `clean` will take us for dead. */
  #warn({ resource }: ObjectRef, { message, hint = "" }: PermissionError) {
    if (this.#warned.has(resource.kind)) return;
    this.#warned.add(resource.kind);
    this.#log.warn(
      "HEARTBEAT_REFUSED",
      `Cannot renew this session's heartbeat, and the original ktctl deletes what has had none for five minutes: ${message}. ${hint}`,
    );
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

function key({ resource, namespace, name }: ObjectRef): string {
  return `${resource.kind} ${namespace ?? ""}/${name}`;
}
