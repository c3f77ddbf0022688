/** `--restoreAfter` and `--takeAgain`, of the commands that change what others use. */
import { type Command, Option } from "commander";
import { parseDuration } from "../../cli/flag_values.ts";
import { UsageError } from "../../core/errors.ts";
import type { GlobalOptions } from "./global_options.ts";

export interface RestoreOptions {
  /** Milliseconds. @default never */
  readonly restoreAfter?: number;
  readonly takeAgain: boolean;
}

/** A link that is lost for a moment, and one that is given up, are told apart after 4 s. */
const MIN_MS = 5_000;
/** A week. */
const MAX_MS = 168 * 3_600_000;

/** For whoever wants it each time, as the settings' variables are. */
const RESTORE_AFTER_ENV = "KTCTL_RESTORE_AFTER";

/** What is told at `ready` where it is off. */
export const RESTORE_HINT =
  "If this laptop dies, what was changed stays until its next ktctl command or `ktctl clean`; with --restoreAfter 10m the cluster takes it back by itself.";

export function addRestoreOptions(command: Command): Command {
  const limits = {
    minMs: MIN_MS,
    maxMs: MAX_MS,
    variable: RESTORE_AFTER_ENV,
  };
  return command.addOption(
    new Option(
      "--restoreAfter <duration>",
      `when this laptop was away for so long (10s, 5m, 1h), the Shadow Pod itself takes everything back; it gets rights to just that (default: $${RESTORE_AFTER_ENV}, else never)`,
    ).argParser(parseDuration("restoreAfter", limits)),
  ).addOption(
    new Option(
      "--takeAgain",
      "begin again after --restoreAfter has taken everything back, instead of ending with exit code 9",
    ).default(false),
  );
}

/** Throws `UsageError`. */
export function refuseRestoreOptions(
  { restoreAfter, takeAgain, serviceAccount }:
    & RestoreOptions
    & Pick<GlobalOptions, "serviceAccount">,
): void {
  if (restoreAfter === undefined) {
    if (!takeAgain) return;
    throw new UsageError(
      "FLAG_MISSING",
      "Cannot use --takeAgain without --restoreAfter: nothing is taken back then",
    );
  }
  if (serviceAccount === undefined) return;
  throw new UsageError(
    "FLAGS_CONFLICT",
    "Cannot use --restoreAfter with --serviceAccount: the Shadow Pod gets a service account of its own, with rights to what it takes back",
    { hint: "Leave out one of the two." },
  );
}
