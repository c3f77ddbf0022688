import {
  CONTROL_BY,
  CONTROL_BY_KT,
  ROLE,
  TARGET,
} from "../../kube/annotations.ts";
import type { KubeObject, Resource } from "../../kube/kube_api.ts";
import type { ClusterCheck } from "./cluster_subject.ts";
import { matchesSelector } from "../keeper/matches_selector.ts";

const NETWORK_POLICIES: Resource = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  plural: "networkpolicies",
  namespaced: true,
};

/** As a Shadow Pod and a Router Pod have them; the last is random. */
const LABELS = ["shadow-exchange", "shadow-connect", "router"].map((role) => ({
  [CONTROL_BY]: CONTROL_BY_KT,
  [ROLE]: role,
  [TARGET]: "",
}));

/** NetworkPolicies that select ktctl's pods. */
export const NETWORK_POLICIES_CHECK: ClusterCheck = {
  name: "network-policies",
  title: "NetworkPolicies",
  async look({ kube, pod }, signal) {
    const policies = await kube.list(NETWORK_POLICIES, { signal });
    const selecting = policies.filter(({ spec }) =>
      LABELS.some((labels) =>
        matchesSelector(spec?.podSelector, { ...pod.labels, ...labels })
      )
    );
    if (selecting.length === 0) {
      return {
        state: "good",
        message: policies.length === 0
          ? "none"
          : `${policies.length}, none of which selects ktctl's pods by their labels`,
      };
    }
    return selecting.map((policy) => {
      const { name } = policy.metadata;
      const bars = directionsOf(policy);
      return {
        state: "warning",
        message: `"${name}" selects ktctl's pods, and bars ${
          bars.join(" and ")
        } but for what it allows`,
        advice:
          "Clients of an exchanged Service have to be let in, and to the pods behind it, the cluster's DNS and what you connect to they have to be let out. Where pods/proxy is barred, the link goes by port-forward.",
        facts: { policy: name, bars },
      };
    });
  },
};

/** As Kubernetes has it where the policy does not say: ingress, and egress where it has rules of it. */
function directionsOf({ spec }: KubeObject): string[] {
  const types: unknown = spec?.policyTypes;
  if (Array.isArray(types)) {
    return types.map((one) => String(one).toLowerCase());
  }
  return spec?.egress === undefined ? ["ingress"] : ["ingress", "egress"];
}
