import { KtctlError, messageOf } from "./errors.ts";
import type { Report } from "./report.ts";

/** Warns, unless `told` has it. */
export function tellOnce(
  report: Pick<Report, "warn">,
  error: unknown,
  told: Set<string>,
): void {
  const details = error instanceof KtctlError ? error.details : [];
  const message = [messageOf(error), ...details.slice(0, 1)].join(": ");
  if (told.has(message)) return;
  told.add(message);
  report.warn(error instanceof KtctlError ? error.code : "INTERNAL", message);
}
