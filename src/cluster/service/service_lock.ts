/**
 * `kt-lock` on the origin Service: held while a command sets itself up, void after three minutes, or, as
 * its owner renews it every few seconds, soon after the owner's death.
 */
import { setInterval } from "node:timers/promises";
import * as v from "valibot";
import { ConflictError, PermissionError } from "../../core/errors.ts";
import {
  annotation,
  annotationText,
  HEARTBEAT,
  isMade,
  LOCK,
  LOCK_LIFETIME_SECONDS,
  LOCK_OWNER,
  LOCK_UNTIL,
  SESSION,
} from "../../kube/annotations.ts";
import type {
  JsonPatchOperation,
  KubeApi,
  KubeObject,
  ObjectRef,
} from "../../kube/kube_api.ts";
import {
  objectName,
  unixSeconds,
  wholeNumber,
} from "../../kube/object_syntax.ts";
import { SERVICES } from "../../kube/resources.ts";
import type {
  ClusterStep,
  Found,
  FoundState,
} from "../../kube/cluster_step.ts";
import type { World } from "../../kube/world.ts";
import type { Scope } from "../../undo/scope.ts";
import { goneText } from "../object/gone_text.ts";
import { annotationPatch, updateObject } from "../object/update_object.ts";

type LockArgs = v.InferOutput<typeof schema>;

const schema = v.object({
  namespace: objectName,
  service: objectName,
  /** `<user>/<session>`: whose lock this is. */
  owner: v.string(),
  /**
   * Unix seconds: the lock's own value. The original ktctl, which takes a lock that is void, leaves
   * our name beside its own. Of earlier versions' journals it is absent.
   */
  since: v.exactOptional(unixSeconds),
  /** Of what was found on the cluster: {@link lockText}. One that was renewed since is another one. */
  seen: v.exactOptional(v.string()),
  /** The same: a Service that was made anew is another one. */
  uid: v.exactOptional(v.string()),
});

export const serviceLockStep: ClusterStep<LockArgs, undefined, void> = {
  id: "service.lock",
  schema,
  describe: ({ service }) => `lock of Service "${service}"`,
  undoCommand: ({ service, namespace }) =>
    `kubectl annotate service ${service} -n ${namespace} ${LOCK}- ${LOCK_OWNER}- ${LOCK_UNTIL}-`,
  async apply({ namespace, service, owner, since }, _input, { kube }) {
    await updateObject(
      kube,
      { resource: SERVICES, name: service, namespace },
      (object) => {
        if (isLocked(object, kube.now())) throw lockedError(object);
        return annotationPatch(object, {
          [LOCK]: String(since ?? kube.now()),
          [LOCK_OWNER]: owner,
          [LOCK_UNTIL]: leaseEnd(kube),
        });
      },
    );
  },
  isRefusal: (error) => error instanceof ConflictError,
  independent: true,
  async isPresent({ namespace, service, owner }, { kube }, signal) {
    const ref = { resource: SERVICES, name: service, namespace };
    const object = await kube.find(ref, { signal });
    return object !== undefined && annotation(object, LOCK_OWNER) === owner;
  },
  async revert(args, { kube }, signal) {
    const { namespace, service, uid } = args;
    const ref = { resource: SERVICES, name: service, namespace };
    let isOther = false;
    const found = await updateObject(
      kube,
      ref,
      (object) => {
        const change = ifOurs(object, args, UNLOCKED);
        isOther = annotation(object, LOCK) !== undefined &&
          !isSame(object, args);
        return change;
      },
      { signal, uid },
    );
    if (found === undefined) return goneText("Service", service);
    if (isOther) {
      return `leave the lock of Service "${service}", which is another one now`;
    }
  },
  find,
};

/** Locks that are void, or whose owner is dead. */
function find(state: FoundState): Found<LockArgs>[] {
  return state.services.filter((service) =>
    annotation(service, LOCK) !== undefined &&
    (!isLocked(service, state.now) || isOfDead(service, state))
  ).map((service) => {
    const { name, namespace = state.namespace, uid } = service.metadata;
    const since = wholeNumber(annotation(service, LOCK));
    const args: LockArgs = {
      namespace,
      service: name,
      owner: annotation(service, LOCK_OWNER) ?? "",
      ...(since === undefined ? {} : { since }),
      seen: lockText(service),
      ...(uid === undefined ? {} : { uid }),
    };
    return { args, action: `remove the expired lock of Service "${name}"` };
  });
}

/**
 * Whether who set the Service up was killed: of all that their session made nothing lives. What counts
 * had its heartbeat since the lock was taken: anything else bears that session's name, but is not its.
 */
function isOfDead(service: KubeObject, state: FoundState): boolean {
  const session = annotation(service, LOCK_OWNER)?.split("/").at(-1);
  const since = wholeNumber(annotation(service, LOCK)) ?? 0;
  return session !== undefined &&
    [...state.pods, ...state.deployments, ...state.services].some((object) =>
      annotation(object, SESSION) === session && isMade(object) &&
      (wholeNumber(annotation(object, HEARTBEAT)) ?? 0) >= since &&
      state.isOver(object)
    );
}

/** Whether it is still the lock that the arguments tell of. */
function isSame(object: KubeObject, { owner, since, seen }: LockArgs): boolean {
  return (annotation(object, LOCK_OWNER) ?? "") === owner &&
    (since === undefined || wholeNumber(annotation(object, LOCK)) === since) &&
    (seen === undefined || lockText(object) === seen);
}

/** All that a lock says of its time, as it is written. */
function lockText(service: KubeObject): string {
  return [LOCK, LOCK_UNTIL].map((name) => annotation(service, name) ?? "")
    .join(" ");
}

/**
 * The change of a lock that is ours. Of one that the original ktctl took meanwhile our name and our
 * promise are withdrawn: they would end it for us when it still holds.
 */
function ifOurs(
  object: KubeObject,
  args: LockArgs,
  annotations: Readonly<Record<string, string | undefined>>,
): JsonPatchOperation[] | undefined {
  if (isSame(object, args)) return annotationPatch(object, annotations);
  const isTakenOver = annotation(object, LOCK_OWNER) === args.owner &&
    args.seen === undefined;
  return isTakenOver ? annotationPatch(object, WITHDRAWN) : undefined;
}

/** Without what this ktctl writes beside a lock. */
const WITHDRAWN = { [LOCK_OWNER]: undefined, [LOCK_UNTIL]: undefined } as const;

/** Without the annotations of a lock. */
export const UNLOCKED = { [LOCK]: undefined, ...WITHDRAWN } as const;

/** Three renewals may fail. */
const LEASE_SECONDS = 20;
const RENEWAL_MS = 5_000;

function leaseEnd(kube: KubeApi): string {
  return String(kube.now() + LEASE_SECONDS);
}

/** Whether somebody holds the lock. What is not a number is no lock, as for the original ktctl, nor is a time that is not yet. */
export function isLocked(service: KubeObject, now: number): boolean {
  const since = wholeNumber(annotation(service, LOCK));
  return since !== undefined &&
    Math.abs(now - since) < LOCK_LIFETIME_SECONDS && now < lockEnd(service);
}

/**
 * Unix seconds. The original ktctl does not renew its locks, nor do earlier versions: they leave the
 * promise of whoever was there before them, which is older than their lock.
 */
function lockEnd(service: KubeObject): number {
  const since = wholeNumber(annotation(service, LOCK)) ?? 0;
  const until = wholeNumber(annotation(service, LOCK_UNTIL)) ?? 0;
  const end = since + LOCK_LIFETIME_SECONDS;
  return until > since ? Math.min(until, end) : end;
}

/** Tells others that the owner lives. What fails is tried again at the next time. */
async function renewLock(
  kube: KubeApi,
  args: LockArgs,
  { signal, renewalMs }: { signal: AbortSignal; renewalMs: number },
): Promise<void> {
  const { namespace, service } = args;
  const ref = { resource: SERVICES, name: service, namespace };
  for await (const _ of setInterval(renewalMs, undefined, { signal })) {
    await updateObject(
      kube,
      ref,
      (object) => ifOurs(object, args, { [LOCK_UNTIL]: leaseEnd(kube) }),
      { signal },
    ).catch(() => {});
  }
}

export interface LockOptions {
  readonly owner: string;
  readonly timeoutMs: number;
  /** Told who is waited for, each time that it is another one. */
  readonly onWait: (message: string) => void;
  /** @default 5000 */
  readonly renewalMs?: number;
}

/**
 * Takes the lock in `scope`, waiting for another holder up to `timeoutMs`.
 * Throws `ConflictError` (`SERVICE_LOCKED`).
 */
export async function lockService(
  scope: Scope<World>,
  service: { name: string; namespace: string },
  options: LockOptions,
): Promise<void> {
  const { kube } = scope.world;
  const ref: ObjectRef = {
    resource: SERVICES,
    name: service.name,
    namespace: service.namespace,
  };
  const deadline = AbortSignal.timeout(options.timeoutMs);
  let told = "";
  const onHeld = (service: KubeObject) => {
    const text = holderText(service);
    if (text === told) return;
    told = text;
    options.onWait(`Waiting for Service "${service.metadata.name}": ${text}`);
  };
  for (;;) {
    const attempt = scope.child("lock attempt");
    const args = {
      namespace: service.namespace,
      service: service.name,
      owner: options.owner,
      since: kube.now(),
    };
    try {
      await attempt.run(serviceLockStep, args, undefined);
      attempt.background(
        "renew the lock",
        (signal) =>
          renewLock(kube, args, {
            signal,
            renewalMs: options.renewalMs ?? RENEWAL_MS,
          }),
      );
      return;
    } catch (error) {
      await attempt.dispose();
      const isHeld = error instanceof ConflictError;
      // nobody gives it up in a plan
      if (!isHeld || deadline.aborted || kube.isPlan) throw error;
      const signal = AbortSignal.any([deadline, scope.signal]);
      await awaitUnlocked(kube, ref, { signal, onHeld }).catch((cause) => {
        // who may not watch Services cannot wait
        throw cause instanceof PermissionError ? error : cause;
      });
    }
  }
}

/** Resolves when the lock is given up, has expired, or the signal says so. */
async function awaitUnlocked(
  kube: KubeApi,
  ref: ObjectRef,
  { signal, onHeld }: {
    signal: AbortSignal;
    onHeld: (service: KubeObject) => void;
  },
): Promise<void> {
  const expiry = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const watch = kube.watch(ref.resource, {
    namespace: ref.namespace ?? kube.namespace,
    fieldSelector: `metadata.name=${ref.name}`,
    signal: AbortSignal.any([signal, expiry.signal]),
  });
  try {
    for await (const event of watch) {
      if (event.type === "SYNCED") continue;
      if (event.type === "DELETED" || !isLocked(event.object, kube.now())) {
        return;
      }
      onHeld(event.object);
      clearTimeout(timer);
      const leftSeconds = lockEnd(event.object) - kube.now();
      timer = setTimeout(() => expiry.abort(), (leftSeconds + 1) * 1000);
    }
  } finally {
    clearTimeout(timer);
  }
}

function lockedError(service: KubeObject): ConflictError {
  return new ConflictError(
    "SERVICE_LOCKED",
    `Cannot take Service "${service.metadata.name}": ${holderText(service)}`,
    {
      hint:
        `Try again in a moment; the lock is void after ${LOCK_LIFETIME_SECONDS} s.`,
    },
  );
}

/** The original ktctl does not tell who holds a lock. */
function holderText(service: KubeObject): string {
  const owner = annotationText(service, LOCK_OWNER)?.split("/")[0];
  const since = new Date(Number(annotation(service, LOCK)) * 1000)
    .toISOString();
  return `${owner ?? "somebody"} has been setting it up since ${since}`;
}
