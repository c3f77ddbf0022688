import type { KubeApi } from "../../kube/kube_api.ts";
import { ENDPOINT_SLICES, SERVICES } from "../../kube/resources.ts";
import { unlessRefused } from "../../kube/unless_refused.ts";
import type { ClusterCheck } from "./cluster_subject.ts";

const NAMESPACE = "kube-system";
/** Of CoreDNS, too. */
const NAME = "kube-dns";

/** Whether something answers for the cluster's names, which pods, and so ktctl's agent, ask. */
export const DNS_CHECK: ClusterCheck = {
  name: "dns",
  title: "Cluster DNS",
  async look({ kube }, signal) {
    const ref = { resource: SERVICES, name: NAME, namespace: NAMESPACE };
    const service = await kube.find(ref, { signal });
    if (service === undefined) {
      return {
        state: "warning",
        message: `there is no Service "${NAME}" in namespace "${NAMESPACE}"`,
        advice:
          "If the cluster's DNS is elsewhere, pods know it, and ktctl asks whom they ask.",
      };
    }
    const ready = await countReady(kube, signal);
    const address = service.spec?.clusterIP;
    const facts = {
      clusterIp: typeof address === "string" ? address : null,
      readyEndpoints: ready ?? null,
    };
    if (ready === 0) {
      return {
        state: "bad",
        message: `no pod of Service "${NAME}" in "${NAMESPACE}" is ready`,
        advice: `Look at it: \`kubectl get pods -n ${NAMESPACE}\`.`,
        facts,
      };
    }
    return {
      state: "good",
      message: `Service "${NAME}" at ${facts.clusterIp}${
        ready === undefined ? "" : `, ${ready} ready`
      }`,
      facts,
    };
  },
};

async function countReady(
  kube: KubeApi,
  signal: AbortSignal,
): Promise<number | undefined> {
  const labelSelector = `kubernetes.io/service-name=${NAME}`;
  const request = { namespace: NAMESPACE, labelSelector, signal };
  for (const resource of ENDPOINT_SLICES) {
    const slices = await unlessRefused(() => kube.list(resource, request));
    if (slices === undefined) continue;
    const endpoints: { conditions?: { ready?: boolean } }[] = slices
      .flatMap((slice) => slice.endpoints ?? []);
    return endpoints.filter(({ conditions }) => conditions?.ready !== false)
      .length;
  }
  return undefined;
}
