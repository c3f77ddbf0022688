import type { GlobalOptions } from "../session/global_options.ts";

export interface DoctorOptions extends GlobalOptions {
  readonly pull: boolean;
  readonly linkTest: boolean;
  /** A file. */
  readonly bundle?: string;
}
