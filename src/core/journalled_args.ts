import type { Json } from "./json.ts";
import type { Read } from "./read_json.ts";
import type { AnyStep } from "./step.ts";

/**
 * The arguments of a step as a journal has them, by the step's own schema: the line may be of another
 * version, or of a disk that lost its power. What the schema does not name is left out.
 */
export async function journalledArgs(
  { schema }: Pick<AnyStep<never>, "schema">,
  args: Json,
): Promise<Read<Json>> {
  if (schema === undefined) return { value: args };
  const result = await schema["~standard"].validate(args);
  return result.issues === undefined
    ? { value: result.value as Json }
    : { reason: "its record is not as this version writes it" };
}
