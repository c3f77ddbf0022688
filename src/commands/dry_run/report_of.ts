import type { Report } from "../../core/report.ts";
import type { GlobalOptions } from "../session/global_options.ts";
import type { Host } from "../session/host.ts";
import type { DryRunOptions } from "./dry_run_option.ts";
import { PlanReport } from "./plan_report.ts";

/** What tells the user of a command; of a dry run, what would be told. */
export function reportOf(
  host: Pick<Host, "report">,
  options: Pick<GlobalOptions, "output" | "debug"> & DryRunOptions,
): Report {
  const report = host.report(options);
  return options.dryRun ? new PlanReport(report) : report;
}
