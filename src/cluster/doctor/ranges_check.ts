import type { Finding } from "../../core/doctor/doctor_check.ts";
import { planCapture } from "../../net/capture_plan.ts";
import { readLocalNetworks } from "../../net/local_networks.ts";
import { apiServerAddresses } from "../discovery/api_server_addresses.ts";
import { discoverClusterCidrs } from "../discovery/cluster_cidrs.ts";
import type { ClusterCheck } from "./cluster_subject.ts";

/** The addresses that `connect` takes, and which networks of this machine have the same. */
export const RANGES_CHECK: ClusterCheck = {
  name: "ranges",
  title: "Address ranges",
  async look({ kube, exec }, signal) {
    const findings: Finding[] = [];
    const guessed = (code: string, message: string) => {
      findings.push({ state: "warning", message, facts: { code } });
    };
    const [{ services, pods }, local, servers] = await Promise.all([
      discoverClusterCidrs(kube, { signal, warn: guessed }),
      readLocalNetworks(exec, { signal }),
      apiServerAddresses(kube, { signal }),
    ]);
    const { clashes } = planCapture({
      cluster: [...services, ...pods],
      keepOut: servers.map((cidr) => ({ cidr, reason: "the API server" })),
      local,
    });
    for (const { local, cluster, outcome } of clashes) {
      findings.push({
        state: "warning",
        message:
          `the cluster's ${cluster} overlaps ${local.cidr}, which leads to "${local.device}" here; during connect ${
            outcome === "captured"
              ? "it leads to the cluster"
              : "that still does"
          }`,
        advice: outcome === "captured"
          ? "Leave out what you need of your own network with `connect --excludeIps`."
          : "What of the cluster has these addresses cannot be reached by them; Services can be forwarded: `ktctl forward`.",
        facts: {
          cluster: `${cluster}`,
          local: `${local.cidr}`,
          device: local.device,
          outcome,
        },
      });
    }
    const facts = { services: services.map(String), pods: pods.map(String) };
    return [{
      state: "good",
      message: `Services ${facts.services.join(", ") || "unknown"}; Pods ${
        facts.pods.join(", ") || "unknown"
      }`,
      facts,
    }, ...findings];
  },
};
