/** Asks the server which right of a call is missing, where its refusal does not say. */
import type { CallSubject } from "../call_subject.ts";

/** The verbs of RBAC, by what we say of the call. */
const VERBS: Readonly<Record<string, readonly string[]>> = {
  read: ["get"],
  list: ["list"],
  watch: ["watch"],
  create: ["create"],
  replace: ["update"],
  change: ["patch"],
  delete: ["delete"],
};

/** Of a subresource: a connection is a GET, and since Kubernetes 1.35 a port-forward a `create` too. */
const SUBRESOURCE_VERBS: Readonly<Record<string, readonly string[]>> = {
  portforward: ["get", "create"],
  proxy: ["get"],
};

/** As `authorization.k8s.io/v1` has it. */
interface AccessReview {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: { readonly resourceAttributes: Record<string, string> };
}

/**
 * @param ask Sends a SelfSubjectAccessReview and gives its `status.allowed`.
 * @returns The rule, as YAML on one line; `undefined` where nothing of the call is denied.
 */
export async function deniedRule(
  subject: CallSubject,
  ask: (review: AccessReview) => Promise<boolean | undefined>,
): Promise<string | undefined> {
  const { action, resource, subresource, name, namespace } = subject;
  const verbs = subresource === undefined
    ? VERBS[action]
    : SUBRESOURCE_VERBS[subresource];
  if (resource === undefined || verbs === undefined) return undefined;
  const [version = "", group = ""] = resource.apiVersion.split("/").reverse();
  const allowed = await Promise.all(verbs.map((verb) =>
    ask({
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: {
        resourceAttributes: {
          verb,
          group,
          version,
          resource: resource.plural,
          ...(subresource === undefined ? {} : { subresource }),
          ...(namespace ? { namespace } : {}),
          ...(name ? { name } : {}),
        },
      },
    })
  ));
  const denied = verbs.filter((_verb, at) => allowed[at] === false);
  if (denied.length === 0) return undefined;
  const path = [resource.plural, subresource].filter(Boolean).join("/");
  return ruleText({ group, resource: path, verbs: denied });
}

/** A rule of a Role on one line of YAML: `apiGroups: [""], resources: ["pods"], verbs: ["get"]`. */
export function ruleText(
  { group, resource, verbs }: {
    group: string;
    resource: string;
    verbs: readonly string[];
  },
): string {
  return `apiGroups: ["${group}"], resources: ["${resource}"], verbs: [${
    verbs.map((verb) => `"${verb}"`).join(", ")
  }]`;
}
