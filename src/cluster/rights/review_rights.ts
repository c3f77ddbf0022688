/** Asks the server which of some rights its user has. */
import * as v from "valibot";
import { ClusterError } from "../../core/errors.ts";
import type { KubeApi, KubeObject, Resource } from "../../kube/kube_api.ts";
import type { RightRule, RightVerb } from "./right_rule.ts";

/** One kind of object of one rule. */
export interface ReviewedRight {
  readonly rule: RightRule;
  readonly resource: string;
  /** Of the rule's verbs those that are not granted. */
  readonly missing: readonly RightVerb[];
  /** What is granted is for objects of these names alone. */
  readonly names?: readonly string[];
}

export interface ReviewOptions {
  /** In the whole cluster, and not in the session's namespace alone. @default false */
  readonly everywhere?: boolean;
  readonly signal: AbortSignal;
}

const VERSION = "authorization.k8s.io/v1";
const RULES_REVIEWS = review("SelfSubjectRulesReview");
const ACCESS_REVIEWS = review("SelfSubjectAccessReview");

const texts = v.array(v.string());
const resourceRule = v.object({
  verbs: texts,
  apiGroups: v.optional(texts, []),
  resources: v.optional(texts, []),
  resourceNames: v.optional(texts, []),
});
const rulesStatus = v.object({
  resourceRules: v.pipe(v.array(resourceRule), v.maxLength(100_000)),
  incomplete: v.optional(v.boolean(), false),
});
const accessStatus = v.object({ allowed: v.boolean() });

type GrantedRule = v.InferOutput<typeof resourceRule>;

/** Each is a question to whoever decides, often a program behind the API server. */
const MAX_AT_ONCE = 8;

/**
 * One request for all of them. What it does not find is asked for right by right, each once, where the server says
 * that its list is incomplete, and for rights in the whole cluster, of which it has no list.
 *
 * @throws {KtctlError} where the server cannot be asked, or answers otherwise.
 */
export async function reviewRights(
  kube: KubeApi,
  rules: readonly RightRule[],
  { everywhere = false, signal }: ReviewOptions,
): Promise<ReviewedRight[]> {
  const { resourceRules, incomplete } = everywhere
    ? { resourceRules: [], incomplete: true }
    : await listRights(kube, signal);
  const isListed = (right: Right) =>
    resourceRules.some((one) =>
      grantsKind(one, right) && grantsAll(one, right)
    );
  const unlisted = rules.flatMap(rightsOf).filter((one) => !isListed(one));
  const allowed = await askRights(kube, incomplete ? unlisted : [], {
    namespace: everywhere ? "" : kube.namespace,
    signal,
  });
  const isGranted = (right: Right) =>
    isListed(right) ||
    attributesOf(right).every((one) => allowed.has(JSON.stringify(one)));
  return rules.flatMap((rule) =>
    rule.resources.map((resource) => {
      const refused = rightsOf({ ...rule, resources: [resource] })
        .filter((right) => !isGranted(right));
      const named = new Set<string>();
      const missing = refused.filter((right) => {
        const names = resourceRules.filter((one) => grantsKind(one, right))
          .flatMap((one) => one.resourceNames);
        for (const name of names) named.add(name);
        return names.length === 0 || rule.names !== undefined;
      }).map(({ verb }) => verb);
      return {
        ...{ rule, resource, missing },
        ...(named.size > 0 && { names: [...named] }),
      };
    })
  );
}

function rightsOf({ group, resources, verbs, names }: RightRule): Right[] {
  return resources.flatMap((resource) =>
    verbs.map((verb) => ({ group, resource, verb, names }))
  );
}

interface Right {
  readonly group: string;
  readonly resource: string;
  readonly verb: RightVerb;
  readonly names: readonly string[] | undefined;
}

function grantsKind(
  { apiGroups, resources, verbs }: GrantedRule,
  { group, resource, verb }: Right,
): boolean {
  const [, subresource] = resource.split("/");
  return (apiGroups.includes("*") || apiGroups.includes(group)) &&
    (resources.includes("*") || resources.includes(resource) ||
      (subresource !== undefined && resources.includes(`*/${subresource}`))) &&
    (verbs.includes("*") || verbs.includes(verb));
}

function grantsAll(
  { resourceNames }: GrantedRule,
  { names }: Right,
): boolean {
  return resourceNames.length === 0 ||
    (names?.every((name) => resourceNames.includes(name)) ?? false);
}

async function listRights(kube: KubeApi, signal: AbortSignal) {
  const answer = await kube.create(
    RULES_REVIEWS,
    reviewOf({ namespace: kube.namespace }),
    { signal },
  );
  return readStatus(kube, rulesStatus, answer);
}

/** Of one question to the server, but for the namespace. */
interface Attributes {
  readonly group: string;
  readonly verb: RightVerb;
  readonly resource: string;
  readonly subresource?: string;
  readonly name?: string;
}

/** Those that are allowed, as JSON. */
async function askRights(
  kube: KubeApi,
  rights: readonly Right[],
  { namespace, signal }: { namespace: string; signal: AbortSignal },
): Promise<Set<string>> {
  const all = rights.flatMap(attributesOf).map((one) => JSON.stringify(one));
  const left = new Set(all).values();
  const allowed = new Set<string>();
  // each takes the next one that is left
  const askers = Array.from({ length: MAX_AT_ONCE }, async () => {
    for (const one of left) {
      const attributes: Attributes = JSON.parse(one);
      const asked = reviewOf({
        resourceAttributes: { ...attributes, namespace },
      });
      const answer = await kube.create(ACCESS_REVIEWS, asked, { signal });
      if (readStatus(kube, accessStatus, answer).allowed) allowed.add(one);
    }
  });
  await Promise.all(askers);
  return allowed;
}

/** One for each name; without names one for all objects. */
function attributesOf(
  { group, resource, verb, names = [""] }: Right,
): Attributes[] {
  const [kind = "", subresource] = resource.split("/");
  return names.map((name) => ({
    ...{ group, verb, resource: kind },
    ...(subresource === undefined ? {} : { subresource }),
    ...(name === "" ? {} : { name }),
  }));
}

function readStatus<T>(
  kube: KubeApi,
  schema: v.GenericSchema<unknown, T>,
  { status }: KubeObject,
): T {
  const { success, output } = v.safeParse(schema, status);
  if (success) return output;
  throw new ClusterError(
    "API_ERROR",
    `Cannot ask for our rights: the answer of "${kube.server}" is not as it should be`,
    {
      hint:
        "Something between here and the API server may answer in its place.",
    },
  );
}

/** It is answered and not kept, and has no name. */
function reviewOf(spec: unknown): KubeObject {
  return { metadata: {} as KubeObject["metadata"], spec };
}

function review(kind: string): Resource {
  const plural = `${kind.toLowerCase()}s`;
  return { apiVersion: VERSION, kind, plural, namespaced: false };
}
