import type { Finding } from "../../core/doctor/doctor_check.ts";

/** A finding, and what it is of. */
export interface Told {
  readonly about: "laptop" | "cluster";
  readonly name: string;
  readonly title: string;
  readonly finding: Finding;
}
