import type { RightsRole } from "./rights_role.ts";
import { AGENT_FILES, LINK, POD_EVENTS } from "./shared_rules.ts";

export const FORWARD_ROLE: RightsRole = {
  file: "forward",
  kind: "Role",
  name: "ktctl-forward",
  comment: "What `ktctl forward` needs in its namespace.",
  rules: [
    {
      group: "",
      resources: ["pods"],
      verbs: ["get", "list", "watch"],
      comment: "the target's pods",
    },
    {
      group: "",
      resources: ["services"],
      verbs: ["get"],
      comment: "only for a Service as the target",
      notFor: ["host:port", "pod", "deploy"],
    },
    {
      group: "",
      resources: ["services"],
      verbs: ["list"],
      comment: "optional: for a name that does not exist, to say what there is",
      optional: true,
      notFor: ["host:port", "pod", "deploy"],
    },
    {
      group: "discovery.k8s.io",
      resources: ["endpointslices"],
      verbs: ["list", "watch"],
      comment: "only for a Service as the target: the pods behind it",
      notFor: ["host:port", "pod", "deploy"],
    },
    {
      group: "",
      resources: ["pods/portforward"],
      verbs: ["get", "create"],
      comment:
        "not for host:port: the way to the pods; create from Kubernetes 1.35 on",
      notFor: ["host:port"],
    },
    {
      group: "apps",
      resources: ["deployments"],
      verbs: ["get", "list", "watch"],
      comment: "only for deploy/<name>",
      onlyFor: ["deploy"],
    },
    {
      group: "",
      resources: ["pods"],
      verbs: ["create", "patch", "delete"],
      comment: "only for host:port: the Shadow Pod",
      onlyFor: ["host:port"],
    },
    {
      ...AGENT_FILES,
      comment:
        "only for host:port: the agent's program and its keys, which go with the pod",
      onlyFor: ["host:port"],
    },
    ...LINK.map((rule): typeof rule => ({
      ...rule,
      comment: `only for host:port: ${rule.comment.replace(/^only /, "")}`,
      onlyFor: ["host:port"],
    })),
    POD_EVENTS,
  ],
};
