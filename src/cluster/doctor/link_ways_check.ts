import { reviewRights } from "../rights/review_rights.ts";
import { LINK } from "../rights/shared_rules.ts";
import type { ClusterCheck } from "./cluster_subject.ts";

/** The two ways to a pod, by the rights to them. Whether they lead there, `--linkTest` tells. */
export const LINK_WAYS_CHECK: ClusterCheck = {
  name: "link-ways",
  title: "Ways to a pod",
  async look({ kube, version: { minor } }, signal) {
    const [proxy, forward] = await reviewRights(kube, LINK, { signal });
    const isProxied = proxy?.missing.length === 0;
    // before Kubernetes 1.35 a port-forward takes no right to create one
    const missing = (forward?.missing ?? []).filter((verb) =>
      verb !== "create" || minor >= CREATE_SINCE_MINOR
    );
    const isForwarded = missing.length === 0;
    const facts = { podsProxy: isProxied, portForward: isForwarded };
    if (isProxied) {
      return {
        state: "good",
        message: isForwarded
          ? "by pods/proxy, and by port-forward where that leads nowhere"
          : "by pods/proxy alone, which a NetworkPolicy may bar",
        facts,
      };
    }
    return isForwarded
      ? {
        state: "warning",
        message: "by port-forward alone, half as fast",
        advice:
          "Ask for the right to get pods/proxy: `ktctl rbac exchange` prints it.",
        facts,
      }
      : {
        state: "bad",
        message: "none: neither pods/proxy nor pods/portforward is allowed",
        advice:
          "Ask for one of these rights: `ktctl rbac exchange` prints them.",
        facts,
      };
  },
};

const CREATE_SINCE_MINOR = 35;
