/** What a running command tells its user. The terminal and the JSON form are in `src/cli`. */

import type { FindingState } from "./doctor/doctor_check.ts";
import type { KtctlError } from "./errors.ts";

/** A row an item; as wide as its cells are. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What there is to say in place of no rows. @default nothing */
  readonly none?: string;
}

/** In what state a command leaves what it changed. */
export interface Conclusion {
  /**
   * `restored`: all is back, or as it should be; `unchanged`: there was nothing to do;
   * `incomplete`: something is left, which errors and warnings name; `background`: another process goes on.
   */
  readonly state: "restored" | "unchanged" | "incomplete" | "background";
  readonly reason: string;
}

/** The last event of every command that changes something, however it ends. */
export interface ClosedEvent extends Conclusion {
  readonly event: "closed";
  readonly exitCode: number;
}

/** All of a kind that were asked for. People get the table, programs the items. */
export interface ListEvent {
  readonly event: "list";
  readonly kind: string;
  readonly items: readonly object[];
  readonly table: Table;
}

/** What a command would do, with `--dryRun`; its other fields are the plan. */
export interface PlanEvent {
  readonly event: "plan";
  /** In one line. */
  readonly message: string;
  /** People get this as it is, programs the other fields. */
  readonly shown: string;
  readonly [field: string]: unknown;
}

/** One event; with `--output json` one line. */
export type ReportEvent =
  | { readonly event: "step"; readonly name: string; readonly state: "started" }
  | {
    readonly event: "step";
    readonly name: string;
    readonly state: "done" | "failed";
    readonly ms: number;
  }
  | {
    readonly event: "ready";
    readonly message: string;
    readonly [field: string]: unknown;
  }
  | {
    readonly event: "link";
    readonly state: "down";
    readonly reason: string;
    /** When the last sign of life came, as ISO 8601. */
    readonly since: string;
  }
  | {
    readonly event: "link";
    readonly state: "up";
    /** For so long it was down, sleep included. */
    readonly ms: number;
    /** Since when, as ISO 8601. */
    readonly since: string;
  }
  /** `connect` has taken in addresses that the cluster got meanwhile. */
  | {
    readonly event: "captured";
    readonly message: string;
    /** All that is captured now. */
    readonly cidrs: readonly string[];
  }
  | {
    readonly event: "warning";
    readonly code: string;
    readonly message: string;
  }
  /** A plugin has something to tell. */
  | {
    readonly event: "notice";
    readonly plugin: string;
    readonly message: string;
  }
  /** One of the plugins that were added, for `plugin list`. */
  | {
    readonly event: "plugin";
    readonly message: string;
    readonly [field: string]: unknown;
  }
  | ListEvent
  | PlanEvent
  /** A setting of a flag, for `config`. */
  | {
    readonly event: "setting";
    readonly message: string;
    readonly [field: string]: unknown;
  }
  /** A profile of settings, for `config list-profile`. */
  | {
    readonly event: "profile";
    readonly message: string;
    readonly name: string;
    /** When it was saved, as ISO 8601. */
    readonly modified: string;
  }
  /** Whether one kind of object is granted as a command needs it, for `rbac --check`. */
  | {
    readonly event: "right";
    /** A line of the table. */
    readonly message: string;
    readonly [field: string]: unknown;
  }
  /** One line of `doctor`. */
  | {
    readonly event: "check";
    readonly title: string;
    readonly state: FindingState;
    readonly message: string;
    /** What to do. */
    readonly advice?: string;
    readonly [field: string]: unknown;
  }
  /** The command was told to end, and takes back what it did. */
  | { readonly event: "closing"; readonly reason: string }
  | ClosedEvent
  | { readonly event: "debug"; readonly message: string }
  | {
    readonly event: "action";
    /** `done`, or `planned` with `--dryRun`. */
    readonly state: "done" | "planned";
    readonly message: string;
  }
  | {
    readonly event: "error";
    readonly code: string;
    readonly message: string;
    readonly hint?: string;
    readonly details?: readonly string[];
  };

export interface Report {
  event(event: ReportEvent): void;
  warn(code: string, message: string): void;
  /** Shown with `--debug` only. */
  debug(message: string): void;
  /** Times `work` and tells of its start and end. */
  step<T>(name: string, work: () => Promise<T>): Promise<T>;
}

/** How an error is told. */
export function errorEvent(error: KtctlError): ReportEvent {
  const { code, message, details, hint } = error;
  return {
    event: "error",
    code,
    message,
    details,
    ...(hint === undefined ? {} : { hint }),
  };
}
