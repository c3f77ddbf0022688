import type { Report } from "../core/report.ts";
import type { PluginRegistry } from "../plugins/registry.ts";

/** What the process gives to a command. */
export interface Host {
  /** The plugins; loaded at the first call. */
  registry(): Promise<PluginRegistry>;
  readonly env: (name: string) => string | undefined;
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP, with a `Cancelled`. */
  readonly signal: AbortSignal;
  /** Where journals are kept. */
  readonly journalDir: string;
  /** The form of output that the options ask for. */
  report(options: { output: "human" | "json"; debug: boolean }): Report;
  /** Registers what a second Ctrl-C is told of. */
  onImpatience(
    leftovers: () => { description: string; undoCommand: string }[],
  ): void;
  /** The user's name, as others shall see it. */
  readonly user: string;
}
