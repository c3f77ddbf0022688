/** What is marked as a ktctl's, but holds what none writes: it is named and left alone. */
import type { Report } from "../../core/report.ts";
import {
  annotation,
  CONFIG,
  configOf,
  HEARTBEAT,
  isMade,
  KEPT_REPLICAS,
  ORIGINAL_REPLICAS,
  SESSION,
  STATUS_PORT,
} from "../../kube/annotations.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import {
  objectName,
  port,
  replicaCount,
  sessionId,
  unixSeconds,
  wholeNumber,
} from "../../kube/object_syntax.ts";
import * as v from "valibot";
import { MESHED } from "../router/mesh_mark.ts";
import type { NamespaceState } from "../../kube/cluster_step.ts";
import { isRouterRecord, readRouter } from "../router/router_record.ts";
import { isScaleRecord, readScaleRecord } from "../scale/scale_record.ts";
import { isShareRecord, readShare } from "../share/share_record.ts";

export interface Unreadable {
  readonly object: KubeObject;
  readonly reason: string;
}

/** The text of each annotation that something is decided by, as a value. */
const ANNOTATIONS: Readonly<Record<string, v.GenericSchema>> = {
  [HEARTBEAT]: whole(unixSeconds),
  [STATUS_PORT]: whole(port),
  [ORIGINAL_REPLICAS]: whole(replicaCount),
  [KEPT_REPLICAS]: whole(replicaCount),
  [SESSION]: sessionId,
};

/** What is read of `kt-config`, where it has it. */
const CONFIGS: Readonly<Record<string, v.GenericSchema>> = {
  service: objectName,
  [MESHED]: objectName,
  app: objectName,
  replicas: whole(replicaCount),
};

function whole(schema: v.GenericSchema<number>): v.GenericSchema {
  return v.pipe(
    v.string(),
    v.transform((text) => wholeNumber(text) ?? NaN),
    schema,
  );
}

/** Those of the namespace; a user's own objects are judged by what a ktctl wrote on them alone. */
export function unreadableObjects(state: NamespaceState): Unreadable[] {
  const told = (objects: readonly KubeObject[], check: typeof wrongMarks) =>
    objects.flatMap((object) => {
      const reason = check(object);
      return reason === undefined ? [] : [{ object, reason }];
    });
  return [
    ...told(state.services.filter(isMade), wrongMarks),
    ...told(state.deployments, wrongMarks),
    ...told(state.replicaSets, wrongMarks),
    ...told(state.pods, wrongMarks),
    ...told(state.serviceAccounts ?? [], wrongMarks),
    ...told(
      state.configMaps,
      (one) =>
        isRouterRecord(one) && readRouter(one).reason || wrongRecord(one) ||
        wrongMarks(one),
    ),
    ...told(
      state.secrets,
      (one) => isShareRecord(one) && readShare(one).reason || wrongMarks(one),
    ),
  ];
}

function wrongRecord(object: KubeObject): string | undefined {
  return isScaleRecord(object) && readScaleRecord(object) === undefined
    ? "it does not tell of which Deployment it is"
    : undefined;
}

function wrongMarks(object: KubeObject): string | undefined {
  for (const [name, schema] of Object.entries(ANNOTATIONS)) {
    const text = annotation(object, name);
    if (text !== undefined && !v.is(schema, text)) {
      return `its annotation "${name}" is not as it should be`;
    }
  }
  const config = configOf(object);
  const isWrong = Object.entries(CONFIGS).some(([key, schema]) => {
    const value = config.get(key);
    return value !== undefined && !v.is(schema, value);
  });
  return isWrong
    ? `its annotation "${CONFIG}" is not as it should be`
    : undefined;
}

export function warnOfUnreadable(
  report: Report,
  unreadable: readonly Unreadable[],
): void {
  for (const { object, reason } of unreadable) {
    const { kind = "object", metadata: { name, namespace = "" } } = object;
    report.warn(
      "OBJECT_UNREADABLE",
      `${kind} "${name}" is left as it is, as this ktctl writes none so: ${reason}. ${
        isMade(object)
          ? `If it is of no use to anybody: kubectl delete ${kind.toLowerCase()} ${name} -n ${namespace}`
          : "Mend or remove that by hand"
      }`,
    );
  }
}
