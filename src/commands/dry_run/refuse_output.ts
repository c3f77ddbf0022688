import { UsageError } from "../../core/errors.ts";
import type { GlobalOptions } from "../session/global_options.ts";
import type { DryRunOptions } from "./dry_run_option.ts";

/** Throws `UsageError` (`FLAGS_CONFLICT`) for YAML where there are no objects to print. */
export function refuseOutput(
  { output, dryRun = false }: Pick<GlobalOptions, "output"> & DryRunOptions,
): void {
  if (output !== "yaml" || dryRun) return;
  throw new UsageError(
    "FLAGS_CONFLICT",
    "Cannot use --output yaml without --dryRun: it has the objects that a command would change",
    { hint: "Use --output json, or add --dryRun." },
  );
}
