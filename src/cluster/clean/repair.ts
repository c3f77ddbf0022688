/** The single repairs that `clean` and `recover` are made of. */
import { counted } from "../../core/counted.ts";
import {
  annotation,
  isSwitched,
  labelSelector,
  ORIGINAL_REPLICAS,
  ORIGINAL_SELECTOR,
  parseSelector,
  RELEASED,
  SHARE_NAME,
} from "../../kube/contract.ts";
import type { KubeApi, KubeObject, Resource } from "../../kube/kube_api.ts";
import { DEPLOYMENTS, PODS, SERVICES } from "../../kube/resources.ts";
import { unscalePatch } from "../scale/deployment_replicas.ts";
import { markText } from "../router/mesh_mark.ts";
import { deleteObject } from "../object/delete_object.ts";
import { forgetPatch, isLegacyHeld } from "../scale/legacy_replicas.ts";
import { leaveRouter } from "../router/router_leave.ts";
import { left, type RouterState } from "../router/router_state.ts";
import { leaveShare } from "../share/share_leave.ts";
import { type ShareState, withoutSharers } from "../share/share_state.ts";
import { UNLOCKED } from "../service/service_lock.ts";
import { ownPart, restorePatch } from "../service/service_selector.ts";
import { annotationPatch, updateObject } from "../object/update_object.ts";

export type Repair =
  /** Tells a session that may still live that its Service was taken back. */
  | { readonly kind: "release"; readonly pod: KubeObject; readonly by: string }
  /** Takes sessions out of a router, and the router away where nobody else is in it. */
  | {
    readonly kind: "leave-router";
    readonly router: RouterState;
    /** Undefined where it is gone. */
    readonly service: KubeObject | undefined;
    readonly sessions: readonly string[];
  }
  /** Takes sessions out of the shared Shadow Pod, and the pod away where nobody else uses it. */
  | {
    readonly kind: "leave-share";
    readonly state: ShareState;
    readonly sessions: readonly string[];
  }
  | { readonly kind: "restore-selector"; readonly service: KubeObject }
  | {
    readonly kind: "restore-replicas";
    readonly deployment: KubeObject;
    readonly replicas?: number;
  }
  /** Takes away the record of an earlier version that is none any more. */
  | { readonly kind: "forget-replicas"; readonly deployment: KubeObject }
  | { readonly kind: "unlock"; readonly service: KubeObject }
  | {
    readonly kind: "delete";
    readonly resource: Resource;
    readonly object: KubeObject;
  };

/** Restoring comes before deleting: no deletion may take the only copy of a selector or a count. */
const ORDER: Record<Repair["kind"], number> = {
  "release": 0,
  "leave-router": 1,
  "restore-selector": 2,
  "restore-replicas": 3,
  "forget-replicas": 3,
  "unlock": 4,
  "leave-share": 5,
  "delete": 6,
};

export function inOrder(repairs: readonly Repair[]): Repair[] {
  return repairs.toSorted((a, b) => ORDER[a.kind] - ORDER[b.kind]);
}

/** What is done, in words. */
export function describeRepair(repair: Repair): string {
  switch (repair.kind) {
    case "release":
      return `tell the owner of Pod "${repair.pod.metadata.name}" that the Service is taken back`;
    case "leave-router":
      return leaveText(repair);
    case "leave-share":
      return leaveShareText(repair.state, repair.sessions);
    case "restore-selector":
      return isSwitched(repair.service.spec?.selector)
        ? restoreText(repair.service)
        : `remove what a past session left on Service "${repair.service.metadata.name}", whose selector somebody has set since: it stays ${
          ownText(repair.service)
        }`;
    case "restore-replicas":
      return `scale Deployment "${repair.deployment.metadata.name}" back to ${
        repair.replicas ?? annotation(repair.deployment, ORIGINAL_REPLICAS)
      }`;
    case "forget-replicas":
      return `remove what a rollback brought back of a past exchange from Deployment "${repair.deployment.metadata.name}"`;
    case "unlock":
      return `remove the expired lock of Service "${repair.service.metadata.name}"`;
    case "delete":
      return `delete ${repair.resource.kind} "${repair.object.metadata.name}"`;
  }
}

function leaveText(
  { router, service, sessions }: Extract<Repair, { kind: "leave-router" }>,
): string {
  const marks = router.participants.filter(({ session }) =>
    sessions.includes(session)
  ).map(({ mark, user }) => `${user}'s "${markText(mark)}"`);
  const isLed = service !== undefined && isSwitched(service.spec?.selector);
  return left(router, sessions).closing
    ? `${isLed ? `${restoreText(service)}, and ` : ""}remove ${
      isLed ? "its router" : `the router of Service "${router.service}"`
    }${marks.length === 0 ? "" : ` with ${marks.join(", ")}`}`
    : `take ${
      marks.join(", ")
    } out of the router of Service "${router.service}"`;
}

function leaveShareText(
  state: ShareState,
  sessions: readonly string[],
): string {
  const users = state.sharers.filter(({ session }) =>
    sessions.includes(session)
  ).map(({ user }) => user);
  const all = withoutSharers(state, sessions).closing === true;
  if (users.length === 0) return `delete the shared Pod "${SHARE_NAME}"`;
  return all
    ? `delete the shared Pod "${SHARE_NAME}" with the place of ${
      users.join(", ")
    }`
    : `take ${users.join(", ")} out of the shared Pod "${SHARE_NAME}"`;
}

function restoreText(service: KubeObject): string {
  const kept = annotation(service, ORIGINAL_SELECTOR);
  const selector = parseSelector(kept) ?? ownPart(service.spec?.selector ?? {});
  const text = selector === undefined
    ? kept === "null" ? "none" : "what it was"
    : labelSelector(selector);
  return `restore the selector of Service "${service.metadata.name}" to ${text}`;
}

function ownText({ spec }: KubeObject): string {
  return labelSelector(spec?.selector ?? {}) || "none";
}

/**
 * Idempotent: what somebody else repaired in the meantime is left as it is. Returns what was done,
 * where that is not what {@link describeRepair} says.
 */
export async function applyRepair(
  kube: KubeApi,
  repair: Repair,
  signal: AbortSignal,
): Promise<string | undefined> {
  switch (repair.kind) {
    case "release": {
      const ref = refTo(PODS, repair.pod);
      await updateObject(
        kube,
        ref,
        (pod) => annotationPatch(pod, { [RELEASED]: repair.by }),
        { signal, uid: repair.pod.metadata.uid },
      );
      return;
    }
    case "leave-router": {
      const { router: { namespace, service }, sessions } = repair;
      const of = { namespace, service, sessions };
      await leaveRouter(kube, of, signal);
      return;
    }
    case "leave-share": {
      const { namespace } = kube;
      const { sessions } = repair;
      await leaveShare(kube, { namespace, sessions }, signal);
      return;
    }
    case "restore-selector": {
      let now: KubeObject | undefined;
      await updateObject(
        kube,
        refTo(SERVICES, repair.service),
        (service) => restorePatch(now = service),
        { signal, uid: repair.service.metadata.uid },
      );
      return now === undefined
        ? goneText(repair.service)
        : describeRepair({ ...repair, service: now });
    }
    case "restore-replicas": {
      let now: KubeObject | undefined;
      await updateObject(
        kube,
        refTo(DEPLOYMENTS, repair.deployment),
        (deployment) => unscalePatch(now = deployment, repair.replicas),
        { signal, uid: repair.deployment.metadata.uid },
      );
      if (now === undefined) return goneText(repair.deployment);
      const { metadata: { name }, spec } = now;
      return spec?.replicas === 0
        ? undefined
        : `leave Deployment "${name}" at ${
          counted(spec?.replicas, "replica")
        }, as somebody has scaled it since`;
    }
    case "forget-replicas":
      await updateObject(
        kube,
        refTo(DEPLOYMENTS, repair.deployment),
        (deployment) =>
          isLegacyHeld(deployment) ? undefined : forgetPatch(deployment),
        { signal },
      );
      return;
    case "unlock": {
      let isOther = true;
      await updateObject(
        kube,
        refTo(SERVICES, repair.service),
        (service) => {
          // not one that was taken or renewed since
          isOther = Object.keys(UNLOCKED).some((name) =>
            annotation(service, name) !== annotation(repair.service, name)
          );
          return isOther ? undefined : annotationPatch(service, UNLOCKED);
        },
        { signal, uid: repair.service.metadata.uid },
      );
      return isOther
        ? `leave the lock of Service "${repair.service.metadata.name}", which is another one now`
        : undefined;
    }
    case "delete":
      await deleteObject(
        kube,
        refTo(repair.resource, repair.object),
        repair.object,
        // the rest goes at once; pods have a grace period
        { awaitGone: [PODS, DEPLOYMENTS].includes(repair.resource), signal },
      );
  }
}

function goneText({ kind = "object", metadata: { name } }: KubeObject): string {
  return `leave ${kind} "${name}" alone, which was deleted meanwhile, or made anew`;
}

function refTo(resource: Resource, { metadata }: KubeObject) {
  return {
    resource,
    name: metadata.name,
    ...(metadata.namespace === undefined
      ? {}
      : { namespace: metadata.namespace }),
  };
}
