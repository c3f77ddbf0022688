import type { ClusterCheck } from "./cluster_subject.ts";

/** Certificates and tokens that were just made count as too young beyond that. */
const TOLERATED_SECONDS = 30;

/** ktctl goes by the cluster's clock; credentials go by both. */
export const CLOCK_CHECK: ClusterCheck = {
  name: "clock",
  title: "Clock",
  async look({ kube }, signal) {
    await kube.version({ signal });
    const seconds = Math.round(Date.now() / 1000 - kube.now());
    const facts = { aheadSeconds: seconds };
    if (Math.abs(seconds) <= TOLERATED_SECONDS) {
      return {
        state: "good",
        message: Math.abs(seconds) <= 1
          ? "as the cluster's"
          : `${Math.abs(seconds)} s ${
            seconds > 0 ? "before" : "behind"
          } the cluster's`,
        facts,
      };
    }
    return {
      state: "warning",
      message: `this machine is ${Math.abs(seconds)} s ${
        seconds > 0 ? "before" : "behind"
      } the cluster`,
      advice:
        "Set its clock: certificates and tokens may be refused as too young or too old.",
      facts,
    };
  },
};
