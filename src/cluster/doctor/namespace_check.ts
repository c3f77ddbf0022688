import { NotFoundError } from "../../core/errors.ts";
import { NAMESPACES } from "../../kube/resources.ts";
import { refuseMissingNamespace } from "../discovery/refuse_missing_namespace.ts";
import type { ClusterCheck } from "./cluster_subject.ts";

const LEVEL = "pod-security.kubernetes.io/enforce";

/** That it is there, and which pods it takes. */
export const NAMESPACE_CHECK: ClusterCheck = {
  name: "namespace",
  title: "Namespace",
  async look({ kube }, signal) {
    const { namespace: name } = kube;
    try {
      await refuseMissingNamespace(kube, signal);
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
      return { state: "bad", message: error.message, cause: error };
    }
    const found = await kube.find({ resource: NAMESPACES, name }, { signal });
    if (found?.metadata.deletionTimestamp !== undefined) {
      return {
        state: "bad",
        message: `"${name}" is being deleted`,
        advice: "Choose another one with -n.",
      };
    }
    const level = found?.metadata.labels?.[LEVEL];
    return {
      state: "good",
      message: `"${name}", PodSecurity ${
        level ?? "as the cluster's default"
      }: ktctl's pods satisfy "restricted"`,
      facts: { podSecurity: level ?? null },
    };
  },
};
