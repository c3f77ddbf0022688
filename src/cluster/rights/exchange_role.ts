import type { RightsRole } from "./rights_role.ts";
import { AGENT_FILES, LINK, POD_EVENTS } from "./shared_rules.ts";

export const EXCHANGE_ROLE: RightsRole = {
  file: "exchange",
  kind: "Role",
  name: "ktctl-exchange",
  comment: "What `ktctl exchange` needs in its namespace, both modes.",
  rules: [
    {
      group: "",
      resources: ["services"],
      verbs: ["get", "list", "watch", "create", "patch", "delete"],
      comment: "the Service that is taken, and the Stuntman Service beside it",
    },
    {
      group: "",
      resources: ["pods"],
      verbs: ["list", "watch"],
      comment:
        "the Shadow Pod; list also finds who holds a Service, and named targetPorts",
    },
    {
      group: "",
      resources: ["pods"],
      verbs: ["get", "create", "patch", "delete"],
      comment: "not for --useShadowDeployment: the Shadow Pod",
      notFor: ["useShadowDeployment"],
    },
    {
      group: "",
      resources: ["pods"],
      verbs: ["get", "patch"],
      comment:
        "optional, only for --useShadowDeployment: to refuse by `ktctl keep` who asks for the Service",
      optional: true,
      onlyFor: ["useShadowDeployment"],
    },
    AGENT_FILES,
    ...LINK,
    {
      group: "discovery.k8s.io",
      resources: ["endpointslices"],
      verbs: ["list", "watch"],
      comment:
        "optional: to know when the traffic has moved; without it ktctl does not wait",
      optional: true,
    },
    POD_EVENTS,
    {
      group: "apps",
      resources: ["replicasets"],
      verbs: ["get", "create", "patch", "delete"],
      comment:
        "optional: a ReplicaSet keeps the Shadow Pod, so that it comes back by itself while a laptop is " +
        "gone; without it ktctl warns",
      optional: true,
    },
    {
      group: "apps",
      resources: ["deployments"],
      verbs: ["get"],
      comment: "only for deploy/<name> and for --mode scale",
      onlyFor: ["deploy", "mode=scale"],
    },
    {
      group: "apps",
      resources: ["deployments"],
      verbs: ["list", "watch", "patch"],
      comment: "only for --mode scale",
      onlyFor: ["mode=scale"],
    },
    {
      group: "",
      resources: ["configmaps"],
      verbs: ["get", "delete"],
      comment:
        "only for --mode scale: the record of the replica count, <deployment>-kt-scaled",
      onlyFor: ["mode=scale"],
    },
    {
      group: "autoscaling",
      resources: ["horizontalpodautoscalers"],
      verbs: ["list"],
      comment:
        "optional, only for --mode scale: to refuse a Deployment that an autoscaler governs",
      optional: true,
      onlyFor: ["mode=scale"],
    },
  ],
};
