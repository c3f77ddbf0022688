import type { exec } from "../../core/exec.ts";
import type { DoctorCheck } from "../../core/doctor/doctor_check.ts";
import type { Host } from "../session/host.ts";

/** What the checks of this machine look at. */
export interface LaptopSubject {
  readonly host: Pick<Host, "env" | "journalDir" | "machineRoot">;
  readonly exec: typeof exec;
  /** Whether this process has root's rights. */
  readonly isRoot: boolean;
}

export type LaptopCheck = DoctorCheck<LaptopSubject>;
