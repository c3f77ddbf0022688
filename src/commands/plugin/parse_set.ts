import { UsageError } from "../../core/errors.ts";

/** One `--set flag=value`, with those before it. */
export function parseSet(
  text: string,
  before: Record<string, string>,
): Record<string, string> {
  const [name = "", ...rest] = text.split("=");
  if (name !== "" && rest.length > 0) {
    return { ...before, [name]: rest.join("=") };
  }
  throw new UsageError(
    "FLAG_INVALID",
    `Cannot read --set "${text}": it is not flag=value`,
  );
}
