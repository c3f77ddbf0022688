import { Option } from "commander";

export interface DryRunOptions {
  /** @default false */
  readonly dryRun?: boolean;
}

/** Of every verb that changes something. */
export function dryRunOption(): Option {
  return new Option("--dryRun", "only print what would be done").default(false);
}
