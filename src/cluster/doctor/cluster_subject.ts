import type { DoctorCheck } from "../../core/doctor/doctor_check.ts";
import type { exec } from "../../core/exec.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import type { PodOptions } from "../pod/pod_options.ts";

/** What the checks of a cluster look at: one that answers, and takes our credentials. */
export interface ClusterSubject {
  readonly kube: KubeApi;
  /** As the server's first answer had it. */
  readonly version: {
    readonly major: number;
    readonly minor: number;
    readonly gitVersion: string;
  };
  /** As the command line has it. */
  readonly pod: PodOptions;
  readonly user: string;
  readonly exec: typeof exec;
}

export type ClusterCheck = DoctorCheck<ClusterSubject>;
