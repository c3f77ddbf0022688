import type { Json } from "../core/json.ts";
import type { Read } from "../core/read_json.ts";
import { within } from "../core/within.ts";
import type { AnyStep } from "./step.ts";

/** So long may a plugin's schema take. */
const SCHEMA_MS = 5_000;

/**
 * The arguments of a step as a journal has them, by the step's own schema: the line may be of another
 * version, or of a disk that lost its power. What the schema does not name is left out.
 */
export async function journalledArgs(
  step: Pick<AnyStep<never>, "schema" | "describe" | "undoCommand">,
  args: Json,
): Promise<Read<Json>> {
  const reason = "its record is not as this version writes it";
  try {
    const result = step.schema === undefined ? { value: args } : await within(
      SCHEMA_MS,
      Promise.resolve(step.schema["~standard"].validate(args)),
    );
    if (result === undefined || result.issues !== undefined) return { reason };
    const value = result.value as Json;
    // a step without a schema cannot even tell of what is not its own
    step.describe(value);
    step.undoCommand(value);
    return { value };
  } catch {
    return { reason };
  }
}
