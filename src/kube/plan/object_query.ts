/** Which objects a list is asked for, as the API server has it: for those that are not really there. */
import type { KubeObject } from "../kube_api.ts";

export interface ObjectQuery {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export function isAskedFor(
  object: KubeObject,
  { labelSelector = "", fieldSelector = "" }: ObjectQuery,
): boolean {
  const labels = object.metadata.labels ?? {};
  return requirements(labelSelector).every((one) => holds(one, labels)) &&
    fieldSelector.split(",").filter((one) => one !== "").every((one) =>
      isField(object, one)
    );
}

/** Split by the commas that are not between parentheses. */
function requirements(selector: string): string[] {
  return selector.split(/,(?![^(]*\))/).map((one) => one.trim())
    .filter((one) => one !== "");
}

function holds(
  requirement: string,
  labels: Readonly<Record<string, string>>,
): boolean {
  const set = /^(\S+)\s+(in|notin)\s*\((.*)\)$/.exec(requirement);
  if (set !== null) {
    const [, key = "", operator, list = ""] = set;
    const isIn = Object.hasOwn(labels, key) &&
      list.split(",").map((one) => one.trim()).includes(labels[key]!);
    return operator === "in" ? isIn : !isIn;
  }
  const pair = /^([^!=\s]+)\s*(!=|==|=)\s*(.*)$/.exec(requirement);
  if (pair !== null) {
    const [, key = "", operator, value] = pair;
    const isEqual = Object.hasOwn(labels, key) && labels[key] === value;
    return operator === "!=" ? !isEqual : isEqual;
  }
  return requirement.startsWith("!")
    ? !Object.hasOwn(labels, requirement.slice(1).trim())
    : Object.hasOwn(labels, requirement);
}

/** `metadata.name=web`, `status.phase!=Running`. */
function isField(object: KubeObject, selector: string): boolean {
  const [, path = "", operator, wanted = ""] =
    /^([^!=]+)(!=|==|=)(.*)$/.exec(selector) ?? [];
  const value = path.split(".").reduce<unknown>(
    (part, key) => (part as Record<string, unknown> | undefined)?.[key],
    object,
  );
  const isEqual = String(value ?? "") === wanted;
  return operator === "!=" ? !isEqual : isEqual;
}
