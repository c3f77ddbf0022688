import type { Finding } from "../../core/doctor/doctor_check.ts";
import type { KubeObject, Resource } from "../../kube/kube_api.ts";
import type { ClusterCheck } from "./cluster_subject.ts";

const RESOURCE_QUOTAS: Resource = {
  apiVersion: "v1",
  kind: "ResourceQuota",
  plural: "resourcequotas",
  namespaced: true,
};

/** What an exchange makes of each, as quotas count it. */
const MADE: Readonly<Record<string, number>> = {
  "pods": 1,
  "count/pods": 1,
  "services": 1,
  "count/services": 1,
  "configmaps": 1,
  "count/configmaps": 1,
  "secrets": 1,
  "count/secrets": 1,
};

/** How much room quotas leave. Whether a pod fits in is what its admission tells. */
export const QUOTA_CHECK: ClusterCheck = {
  name: "quota",
  title: "Quotas",
  async look({ kube }, signal) {
    const quotas = await kube.list(RESOURCE_QUOTAS, { signal });
    if (quotas.length === 0) return { state: "good", message: "none" };
    return quotas.map(ofQuota);
  },
};

function ofQuota({ metadata: { name }, status }: KubeObject): Finding {
  const hard: Readonly<Record<string, unknown>> = status?.hard ?? {};
  const used: Readonly<Record<string, unknown>> = status?.used ?? {};
  const kinds = Object.keys(hard).filter((kind) => Object.hasOwn(MADE, kind));
  const counts = kinds.map((kind) => ({
    kind,
    hard: Number(hard[kind]),
    used: Number(used[kind] ?? 0),
  }));
  const full = counts.filter(({ kind, hard, used }) =>
    hard - used < MADE[kind]!
  );
  const facts = {
    quota: name,
    counts: counts.map(({ kind, hard, used }) => `${kind} ${used}/${hard}`),
  };
  if (full.length > 0) {
    return {
      state: "bad",
      message: `"${name}" has no room left: ${
        full.map(({ kind, hard, used }) => `${kind} ${used} of ${hard}`)
          .join(", ")
      }`,
      advice: "Delete what nobody needs, or ask for a larger ResourceQuota.",
      facts,
    };
  }
  return {
    state: "good",
    message: `"${name}" has room${
      counts.length === 0 ? "" : `: ${facts.counts.join(", ")}`
    }`,
    facts,
  };
}
