/** An object as somebody would write it down: without what the server adds, and without secrets. */
import { createHash } from "node:crypto";
import type { KubeObject, ObjectMeta } from "../kube_api.ts";

/** The server's own, and what is none of the object's. */
const SERVERS = new Set([
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "selfLink",
  "managedFields",
]);

/** The whole manifest once more, as one text, of `kubectl apply`: what changes is told by the rest. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** A program, say, which nobody wants to read. */
const LONGEST_VALUE = 4096;

/** In the place of what is in a Secret. */
const REDACTED = "redacted";

export function plainObject(
  { apiVersion, kind, metadata, status: _, ...rest }: KubeObject,
): KubeObject {
  const shown = {
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(kind === undefined ? {} : { kind }),
    metadata: plainMetadata(metadata),
    ...rest,
  };
  if (kind === "ConfigMap") return withShortData(shown);
  return kind === "Secret" ? withoutSecrets(shown) : shown;
}

function plainMetadata(metadata: ObjectMeta): ObjectMeta {
  const kept = Object.entries(metadata).filter(([key]) => !SERVERS.has(key));
  const { annotations, labels, ...rest } = Object.fromEntries(
    kept,
  ) as ObjectMeta;
  const { [LAST_APPLIED]: _, ...others } = annotations ?? {};
  return {
    ...rest,
    ...(labels && Object.keys(labels).length > 0 && { labels }),
    ...(Object.keys(others).length > 0 && { annotations: others }),
  };
}

/**
 * A Secret whose values are not told, but whether two are the same is: each has its digest, as far as it
 * leads nobody back.
 */
export function withoutSecrets<T extends KubeObject>(secret: T): T {
  const { data, stringData } = secret as {
    data?: Record<string, string>;
    stringData?: Record<string, string>;
  };
  const hidden = (
    values: Record<string, string>,
    as: (text: string) => string,
  ) =>
    Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, as(redacted(value))]),
    );
  return {
    ...secret,
    ...(data && { data: hidden(data, btoa) }),
    ...(stringData && { stringData: hidden(stringData, (text) => text) }),
  };
}

/** Of one run: a digest that could be looked up would tell a short value. */
const SALT = crypto.randomUUID();

function redacted(value: string): string {
  return `${REDACTED} ${digest(SALT + value).slice(0, 8)}`;
}

function withShortData(configMap: KubeObject): KubeObject {
  const { data } = configMap as { data?: Record<string, string> };
  if (data === undefined) return configMap;
  const short = Object.entries(data).map(([key, value]) => [
    key,
    value.length <= LONGEST_VALUE
      ? value
      : `${value.length} characters, sha256:${digest(value)}\n`,
  ]);
  return { ...configMap, data: Object.fromEntries(short) };
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
