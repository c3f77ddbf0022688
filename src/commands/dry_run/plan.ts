/** A plan, as `--output json` has it. */

/** An object that a command would change, as programs get it. */
export interface PlannedObject {
  readonly action: "create" | "change" | "replace" | "delete";
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** Of kinds that have one. */
  readonly namespace?: string;
  /** As it is now: not of one that would be made. */
  readonly before?: object;
  /** As it would be: not of one that would be deleted. */
  readonly after?: object;
  /** Of one that would be changed: both as YAML, as a unified diff. */
  readonly diff?: string;
  /** Whether the end of the command takes it back; left out of a command that takes nothing back. */
  readonly isUndone?: boolean;
  /** Why the server was not asked about it. */
  readonly unchecked?: string;
}

/** What a command would do. */
export interface Plan {
  readonly command: string;
  readonly context: string;
  readonly namespace: string;
  readonly objects: readonly PlannedObject[];
  readonly machine: readonly string[];
  /** What the end takes back, first to last; left out of a command that takes nothing back. */
  readonly undone?: readonly string[];
  readonly unknown: readonly string[];
  readonly warnings: readonly {
    readonly code: string;
    readonly message: string;
  }[];
  /** What the command would say when it is ready. */
  readonly ready?: string;
}
