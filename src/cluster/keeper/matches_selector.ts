import * as v from "valibot";
import { labels } from "../../kube/object_syntax.ts";

/** A LabelSelector; anything else selects nothing. */
const labelSelector = v.object({
  matchLabels: v.optional(labels, {}),
  matchExpressions: v.optional(
    v.array(v.object({
      key: v.string(),
      operator: v.string(),
      values: v.optional(v.array(v.string()), []),
    })),
    [],
  ),
});

/** Whether a LabelSelector selects an object with these labels. An empty one selects all. */
export function matchesSelector(
  selector: unknown,
  given: Readonly<Record<string, string>>,
): boolean {
  const { success, output } = v.safeParse(labelSelector, selector ?? {});
  if (!success) return false;
  const has = (key: string) => Object.hasOwn(given, key);
  return Object.entries(output.matchLabels).every(([key, value]) =>
    has(key) && given[key] === value
  ) &&
    output.matchExpressions.every(({ key, operator, values }) => {
      switch (operator) {
        case "In":
          return has(key) && values.includes(given[key]!);
        case "NotIn":
          return !has(key) || !values.includes(given[key]!);
        case "Exists":
          return has(key);
        case "DoesNotExist":
          return !has(key);
        default:
          return false;
      }
    });
}
