import { KtctlError } from "../../core/errors.ts";

/**
 * Changes an object that several sessions have together, or makes it where there is none. Where
 * another one makes it at this moment, theirs is changed.
 *
 * @param update `undefined` where there is no such object.
 */
export async function updateOrCreate<T>(
  update: () => Promise<T | undefined>,
  create: () => Promise<T>,
): Promise<T> {
  for (;;) {
    const updated = await update();
    if (updated !== undefined) return updated;
    try {
      return await create();
    } catch (error) {
      if (!(error instanceof KtctlError) || error.code !== "ALREADY_EXISTS") {
        throw error;
      }
    }
  }
}
