/** An object that would be made, as the server would have it. */
import {
  KtctlError,
  NotFoundError,
  WriteConflictError,
} from "../../core/errors.ts";
import type {
  CreateOptions,
  KubeApi,
  KubeObject,
  Resource,
} from "../kube_api.ts";
import { PODS, SECRETS, SERVICES } from "../resources.ts";
import { asRunning } from "./as_running.ts";
import { withoutSecrets } from "./plain_object.ts";

/** An address that is nobody's (RFC 5737). */
const PLACEHOLDER = "192.0.2.1";

export interface Made {
  /** As it would be read. */
  readonly after: KubeObject;
  /** As it is asked for. */
  readonly made: KubeObject;
  readonly unchecked?: string;
}

/** Asks the server. Secrets stay here: the server is asked about others of the same names. */
export async function makePlanned(
  server: KubeApi,
  { resource, object, isThere, isPlanned, ...options }: CreateOptions & {
    resource: Resource;
    object: KubeObject;
    /** The server still has one of that name, which the plan deletes. */
    isThere: boolean;
    /** Whether a text names an object that the plan makes. */
    isPlanned: (text: string) => boolean;
  },
): Promise<Made> {
  const { answer, unchecked } = isThere
    ? { answer: object, unchecked: "it is still there under that name" }
    : await ask(server, { resource, object, isPlanned, ...options });
  const { apiVersion, kind } = resource;
  const uid = answer.metadata.uid ?? crypto.randomUUID();
  const whole: KubeObject = {
    ...answer,
    ...(kind === SECRETS.kind && { data: secretData(object) }),
    ...(kind === SERVICES.kind && { spec: withAddress(answer) }),
    ...{ apiVersion, kind },
    metadata: {
      ...answer.metadata,
      uid,
      // it is changed by its version
      resourceVersion: "0",
      creationTimestamp: new Date(server.now() * 1000).toISOString(),
    },
  };
  // what is stamped on all that is made, and what a webhook adds
  const { labels, annotations } = answer.metadata;
  return {
    after: kind === PODS.kind ? asRunning(whole) : whole,
    made: {
      ...{ apiVersion, kind },
      ...object,
      metadata: {
        ...object.metadata,
        ...(labels && { labels }),
        ...(annotations && { annotations }),
        uid,
      },
    },
    ...(unchecked !== undefined && { unchecked }),
  };
}

/** Not everything can be asked. */
async function ask(
  server: KubeApi,
  { resource, object, isPlanned, ...options }:
    & Omit<Parameters<typeof makePlanned>[1], "isThere">
    & CreateOptions,
): Promise<{ answer: KubeObject; unchecked?: string }> {
  const told = resource.kind === SECRETS.kind ? withoutSecrets(object) : object;
  try {
    const answer = await server.create(resource, told, {
      ...options,
      dryRun: true,
    });
    return { answer };
  } catch (error) {
    if (!(error instanceof KtctlError)) throw error;
    const text = [error.message, ...error.details].join(" ");
    if (/does not support dry run/.test(text)) {
      const unchecked = "a webhook of the cluster takes no part in dry runs";
      return { answer: object, unchecked };
    }
    if (error instanceof NotFoundError && isPlanned(text)) {
      const unchecked = "it needs an object that is made before it";
      return { answer: object, unchecked };
    }
    throw error;
  }
}

/** Kubernetes 1.20 gives none in a dry run. */
function withAddress({ spec }: KubeObject): KubeObject["spec"] {
  const hasNone = !spec?.clusterIP && spec?.type !== "ExternalName";
  return hasNone ? { ...spec, clusterIP: PLACEHOLDER } : spec;
}

function secretData(
  { data, stringData }: KubeObject,
): Record<string, string> {
  const encoded = Object.entries(stringData ?? {}).map((
    [key, value],
  ) => [key, btoa(String(value))]);
  return { ...data, ...Object.fromEntries(encoded) };
}

/**
 * The same change of an object as it is asked for, which leaves out what the server adds: what is
 * changed may be in that.
 */
export function changedMade(
  made: KubeObject,
  after: KubeObject,
  changed: (current: KubeObject) => KubeObject,
): KubeObject {
  const { uid, resourceVersion = "0" } = after.metadata;
  const metadata = { ...made.metadata, uid, resourceVersion };
  try {
    return changed({ ...made, metadata } as KubeObject);
  } catch (error) {
    if (!(error instanceof WriteConflictError)) throw error;
    return after;
  }
}
