import * as v from "valibot";

/** What stands in a text that others wrote, or why it cannot be used. */
export type Read<T> =
  | { readonly value: T; readonly reason?: undefined }
  | { readonly reason: string };

/** Reads JSON that others wrote. Its size is looked at first, and nothing that the schema does not name is kept. */
export function readJson<T>(
  text: string | undefined,
  schema: v.GenericSchema<unknown, T>,
  { maxChars }: { maxChars: number },
): Read<T> {
  if (typeof text !== "string") return { reason: "it is missing" };
  if (text.length > maxChars) {
    return { reason: `it is longer than ${maxChars} characters` };
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { reason: "it is not JSON" };
  }
  const result = v.safeParse(schema, value, { abortEarly: true });
  return result.success
    ? { value: result.output }
    : { reason: wrongPlace(result.issues) };
}

/** The place alone: what stands there is a stranger's. */
function wrongPlace([issue]: readonly v.BaseIssue<unknown>[]): string {
  const path = issue && v.getDotPath(issue);
  return path
    ? `"${path.slice(0, 80)}" is not as it should be`
    : "it is not as it should be";
}
