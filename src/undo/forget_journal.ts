import type { Journal } from "./journal.ts";

/**
 * Drops a record in which all is undone. One that its disk keeps is no more than one to look at again:
 * whoever sweeps next finds nothing in it.
 */
export function forgetJournal(
  journal: Pick<Journal, "remove">,
  onKept: (error: unknown) => void = () => {},
): void {
  try {
    journal.remove();
  } catch (error) {
    onKept(error);
  }
}
