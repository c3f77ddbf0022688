/** What `ktctl doctor` looks at. Types only. */
import type { KtctlError } from "../errors.ts";
import type { Json } from "../json.ts";

/**
 * `bad`: a command does not work; `warning`: it works, with less or after something is done;
 * `unknown`: it could not be looked at, which is no failure of it.
 */
export type FindingState = "good" | "warning" | "bad" | "unknown";

/** One line of what was found. */
export interface Finding {
  readonly state: FindingState;
  /** Without a final period. */
  readonly message: string;
  /** What to do, as full sentences. */
  readonly advice?: string;
  /** Whose hint is the advice, with the flags that the command line has for it. */
  readonly cause?: KtctlError;
  /** The same for programs. */
  readonly facts?: Readonly<Record<string, Json>>;
}

/** One thing to look at. It changes nothing, and knows nothing of the others. */
export interface DoctorCheck<Subject> {
  /** For programs: `tun`. */
  readonly name: string;
  /** For people: `TUN device`. */
  readonly title: string;
  /** @default 10000 */
  readonly deadlineMs?: number;
  /**
   * Whatever it throws is a line that it could not be looked at.
   *
   * @param signal Aborted when the command ends or the deadline is over.
   */
  look(
    subject: Subject,
    signal: AbortSignal,
  ): Finding | readonly Finding[] | Promise<Finding | readonly Finding[]>;
}
