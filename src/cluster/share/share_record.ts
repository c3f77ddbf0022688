/** The record of a shared Shadow Pod, as it stands on its Secret: others wrote it, or might have. */
import * as v from "valibot";
import { type Read, readJson } from "../../core/read_json.ts";
import {
  annotation,
  label,
  SHARE_NAME,
  SHARERS,
  TARGET,
} from "../../kube/annotations.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import {
  labelValue,
  plainText,
  port,
  sessionId,
  unixSeconds,
} from "../../kube/object_syntax.ts";
import { agentConfig } from "../shadow/pod_ports.ts";
import { MAX_SHARERS, type ShareState } from "./share_state.ts";
import { tolerationSchema } from "../pod/toleration_schema.ts";

/** As much as all annotations of an object may have together. */
const MAX_CHARS = 256 * 1024;

const texts = v.record(v.string(), v.string());

const record = v.pipe(
  v.object({
    version: v.literal(1),
    target: labelValue,
    user: plainText,
    /** To tell whose wishes come too late; nobody makes a pod by it. */
    pod: v.object({
      image: v.string(),
      imagePullPolicy: v.picklist(["Always", "IfNotPresent"]),
      imagePullSecret: v.exactOptional(v.string()),
      serviceAccount: v.exactOptional(v.string()),
      nodeSelector: texts,
      /** Earlier versions write none. */
      tolerations: v.optional(v.array(tolerationSchema), []),
      labels: texts,
      annotations: texts,
      quota: texts,
      asDeployment: v.boolean(),
    }),
    agent: v.object({ sshPort: port, statusPort: port }),
    sharers: v.pipe(
      v.array(v.object({
        session: sessionId,
        user: plainText,
        since: unixSeconds,
        beat: unixSeconds,
      })),
      v.maxLength(MAX_SHARERS),
      v.check((all) =>
        new Set(all.map(({ session }) => session)).size === all.length
      ),
    ),
    closing: v.exactOptional(v.literal(true)),
  }),
  v.check(({ closing, sharers }) =>
    closing === undefined || sharers.length === 0
  ),
);

/** All have the one name, and the label by which the rest belongs to it is the Secret's own. */
export function readShare(secret: KubeObject): Read<ShareState> {
  if (secret.metadata.name !== SHARE_NAME) {
    return { reason: `it is not named "${SHARE_NAME}"` };
  }
  const read = readJson(annotation(secret, SHARERS), record, {
    maxChars: MAX_CHARS,
  });
  if (read.reason !== undefined) {
    return { reason: `in its annotation "${SHARERS}", ${read.reason}` };
  }
  const { version: _, agent: { sshPort, statusPort }, ...rest } = read.value;
  if (label(secret, TARGET) !== rest.target || rest.target === "") {
    return { reason: `its label "${TARGET}" is another one` };
  }
  const agent = agentConfig([], { ready: "always" });
  return { value: { ...rest, agent: { ...agent, sshPort, statusPort } } };
}

/** Whether it claims to be a shared Shadow Pod's of ours. */
export function isShareRecord(secret: KubeObject): boolean {
  return annotation(secret, SHARERS) !== undefined;
}

export function shareRecord(state: ShareState): string {
  const { agent: { sshPort, statusPort }, ...rest } = state;
  return JSON.stringify({
    version: 1,
    ...rest,
    agent: { sshPort, statusPort },
  });
}
