import type { KubeObject, ObjectMeta, Resource } from "./kube_api.ts";

/** What the user wants on all that is made. */
export interface Stamp {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * The object with the user's labels and annotations, and the same on the pods that it is a template of:
 * a policy may ask for them on any kind. What the object has of its own is never replaced.
 */
export function stamped<T extends KubeObject>(
  object: T,
  stamp: Stamp,
  resource?: Pick<Resource, "apiVersion">,
): T {
  // a review is answered and not kept: the server refuses metadata in it
  if (resource?.apiVersion.startsWith("authorization.k8s.io/")) return object;
  const result = {
    ...object,
    metadata: withStamp(object.metadata, stamp),
  };
  const template = object.spec?.template;
  if (template === undefined) return result;
  return {
    ...result,
    spec: {
      ...object.spec,
      template: { ...template, metadata: withStamp(template.metadata, stamp) },
    },
  };
}

function withStamp<M extends Partial<ObjectMeta>>(
  metadata: M,
  { labels, annotations }: Stamp,
): M {
  return {
    ...metadata,
    ...merged("labels", labels, metadata.labels),
    ...merged("annotations", annotations, metadata.annotations),
  };
}

function merged(
  field: "labels" | "annotations",
  wanted: Readonly<Record<string, string>>,
  own: Readonly<Record<string, string>> = {},
): Partial<ObjectMeta> {
  return Object.keys(wanted).length === 0
    ? {}
    : { [field]: { ...wanted, ...own } };
}
