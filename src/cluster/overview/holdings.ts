/** What the objects of a namespace tell of who has what, whoever's laptop it is. */
import {
  annotation,
  annotationText,
  configOf,
  HELD_BY,
  HELD_SINCE,
  includesLabels,
  isMade,
  isSwitched,
  label,
  ORIGINAL_SELECTOR,
  originalSelector,
  ROLE,
  routerName,
  SESSION,
  SHARED,
  USER,
} from "../../kube/annotations.ts";
import type { FoundState } from "../../kube/cluster_step.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import { markText } from "../router/mesh_mark.ts";
import { readRouter } from "../router/router_record.ts";
import type { RouterState } from "../router/router_state.ts";
import { readScaleRecord } from "../scale/scale_record.ts";
import { isShareRecord, readShare } from "../share/share_record.ts";

export interface Holding {
  readonly verb: "exchange" | "mesh" | "preview" | "connect";
  readonly namespace: string;
  /** None of `connect`. */
  readonly service?: string;
  /** The Deployment that is scaled down for it. */
  readonly deployment?: string;
  readonly user: string;
  /** RFC 3339; undefined where nothing tells. */
  readonly since?: string;
  /** Of `mesh`, `key: value` as a request carries it; undefined where nothing tells. */
  readonly mark?: string;
  readonly session?: string;
  /** `dead`: its laptop gave no sign of life for too long, and `ktctl clean` takes it back. */
  readonly state: "alive" | "dead";
}

/** By Service, then by who came first; `connect` comes last. */
export function holdings(state: FoundState): Holding[] {
  const services = state.services.flatMap((service) => [
    ...previewOf(service, state),
    ...exchangeOf(service, state),
    ...routedMeshes(service, state),
    ...ruledMeshes(service, state),
    ...scalesOf(service, state),
  ]);
  return [
    ...services.sort((a, b) =>
      compare(a.service, b.service) || compare(a.since, b.since)
    ),
    ...connects(state).sort((a, b) => compare(a.since, b.since)),
  ];
}

function compare(a = "", b = ""): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function previewOf(service: KubeObject, state: FoundState): Holding[] {
  const selector: Record<string, string> = service.spec?.selector ?? {};
  if (!isMade(service) || selector[ROLE] !== "shadow-preview") return [];
  const pod = podOf(selector, state);
  return [{
    verb: "preview",
    ...told(service, state, {
      user: (pod && annotationText(pod, USER)) ?? annotationText(service, USER),
      since: service.metadata.creationTimestamp,
      judged: pod ?? service,
    }),
  }];
}

/** By its selector. */
function exchangeOf(service: KubeObject, state: FoundState): Holding[] {
  const selector: Record<string, string> = service.spec?.selector ?? {};
  const isTaken = isSwitched(selector) ||
    annotation(service, ORIGINAL_SELECTOR) !== undefined;
  if (isMade(service) || !isTaken || selector[ROLE] === "router") return [];
  const pod = podOf(selector, state);
  return [{
    verb: "exchange",
    ...told(service, state, {
      user: annotationText(service, HELD_BY) ??
        (pod && annotationText(pod, USER)),
      since: annotationText(service, HELD_SINCE) ??
        pod?.metadata.creationTimestamp,
      judged: pod ?? service,
    }),
  }];
}

function routedMeshes(service: KubeObject, state: FoundState): Holding[] {
  const router = routerOf(service, state);
  if (router === undefined) {
    // of the original ktctl, whose router keeps its record to itself
    if (service.spec?.selector?.[ROLE] !== "router") return [];
    const pod = podOf(service.spec.selector, state);
    return [{
      verb: "mesh",
      ...told(service, state, {
        user: pod && annotationText(pod, USER),
        since: pod?.metadata.creationTimestamp,
        judged: pod ?? service,
      }),
    }];
  }
  return router.participants.map(({ user, since, mark, session }) => ({
    verb: "mesh",
    namespace: state.namespace,
    service: service.metadata.name,
    user,
    since,
    mark: markText(mark),
    session,
    state: state.isOver(ofSession(session)) ? "dead" : "alive",
  }));
}

/** Those that a service mesh routes: their Shadow Pods are pods of the Service. */
function ruledMeshes(service: KubeObject, state: FoundState): Holding[] {
  const { name } = service.metadata;
  const routed = new Set(
    routerOf(service, state)?.participants.map(({ session }) => session),
  );
  return state.pods.filter((pod) =>
    label(pod, ROLE) === "shadow-mesh" &&
    configOf(pod).get("service") === name &&
    !routed.has(annotation(pod, SESSION) ?? "")
  ).map((pod) => ({
    verb: "mesh",
    ...told(service, state, {
      user: annotationText(pod, USER),
      since: pod.metadata.creationTimestamp,
      judged: pod,
    }),
  }));
}

/** Exchanged by scaling down a Deployment of it: once for each Service whose pods are the Deployment's. */
function scalesOf(service: KubeObject, state: FoundState): Holding[] {
  const selector = originalSelector(service);
  if (isMade(service) || Object.keys(selector).length === 0) return [];
  return state.configMaps.flatMap((one) => readScaleRecord(one) ?? [])
    .flatMap(({ deployment, uid, object, session }) => {
      const scaled = state.deployments.find(({ metadata }) =>
        metadata.name === deployment && metadata.uid === uid
      );
      const labels = scaled?.spec?.template?.metadata?.labels;
      if (!includesLabels(labels, selector)) return [];
      return [{
        verb: "exchange" as const,
        deployment,
        ...told(service, state, {
          user: annotationText(object, HELD_BY),
          since: annotationText(object, HELD_SINCE),
          judged: ofSession(session),
        }),
      }];
    });
}

function connects(state: FoundState): Holding[] {
  const shared = state.secrets.filter(isShareRecord).flatMap((secret) => {
    const read = readShare(secret);
    return read.reason === undefined ? read.value.sharers : [];
  }).map(({ user, session, since, beat }): Holding => ({
    verb: "connect",
    namespace: state.namespace,
    user,
    since: new Date(since * 1000).toISOString(),
    session,
    state: state.isOld(beat) && !state.isLinked(session) ? "dead" : "alive",
  }));
  const own = state.pods.filter((pod) =>
    label(pod, ROLE) === "shadow-connect" &&
    annotation(pod, SHARED) === undefined
  ).map((pod): Holding => {
    const { service: _, ...rest } = told(pod, state, {
      user: annotationText(pod, USER),
      since: pod.metadata.creationTimestamp,
      judged: pod,
    });
    return { verb: "connect", ...rest };
  });
  return [...shared, ...own];
}

function routerOf(
  { metadata }: KubeObject,
  { configMaps }: FoundState,
): RouterState | undefined {
  const record = configMaps.find((one) =>
    one.metadata.name === routerName(metadata.name)
  );
  const read = record && readRouter(record);
  return read?.reason === undefined ? read?.value : undefined;
}

function podOf(
  selector: Readonly<Record<string, string>>,
  { pods }: FoundState,
): KubeObject | undefined {
  return pods.find(({ metadata }) => includesLabels(metadata.labels, selector));
}

/** What is judged as all that the session made is. */
function ofSession(session: string): KubeObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "", annotations: { [SESSION]: session } },
  };
}

function told(
  { metadata: { name } }: KubeObject,
  state: FoundState,
  { user, since, judged }: {
    user: string | undefined;
    since: string | undefined;
    judged: KubeObject;
  },
): Omit<Holding, "verb"> {
  const session = annotationText(judged, SESSION);
  return {
    namespace: state.namespace,
    service: name,
    user: user ?? "somebody",
    state: state.isOver(judged) ? "dead" : "alive",
    ...(since === undefined ? {} : { since }),
    ...(session === undefined ? {} : { session }),
  };
}
