import type { Conclusion, Report, ReportEvent } from "../../core/report.ts";
import type { Leftover } from "../../undo/leftover.ts";
import type { Place } from "./flag_hints.ts";
import type { OutputForm } from "./global_options.ts";
import type { SettingLayers } from "../settings/load_layers.ts";
import type { PluginRegistry } from "../../plugins/registry.ts";

/** What the process gives to a command. */
export interface Host {
  /** The plugins; loaded at the first call. */
  registry(): Promise<PluginRegistry>;
  readonly env: (name: string) => string | undefined;
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP, with a `Cancelled`. */
  readonly signal: AbortSignal;
  /** Ends this command as the first signal does. */
  end(reason: string): void;
  /** Calls back on every event that the user is told of. */
  observe(listener: (event: ReportEvent) => void): Disposable;
  /** Of a session in the background: where what it tells is written, as `--output json` has it. */
  readonly log?: string;
  /** Where journals are kept. */
  readonly journalDir: string;
  /** Where the logs of sessions in the background are kept. */
  readonly logDir: string;
  /** Where added plugins are kept. */
  readonly pluginDir: string;
  /** Where the user's settings are kept. */
  readonly configDir: string;
  /** Where it is kept which projects' files of settings the user trusts. */
  readonly trustDir: string;
  /** What all files of settings say; read at the first call. */
  settings(): Promise<SettingLayers>;
  /** Before the paths of what root helpers change on this machine; "" but in tests. */
  readonly machineRoot: string;
  /** The form of output that the options ask for. A command asks for it when it begins. */
  report(
    options: {
      output: OutputForm;
      debug: boolean;
      /** Of events that were told before, and are told again: when each was, as ISO 8601; "" if unknown. @default now */
      time?: () => string;
    } & Place,
  ): Report;
  /** Registers what a second Ctrl-C is told of. */
  onImpatience(leftovers: () => Leftover[]): void;
  /** Says what the last event is to tell; a later word replaces it. @default nothing was changed */
  conclude(conclusion: Conclusion): void;
  /** The user's name, as others shall see it. */
  readonly user: string;
}
