import type { RightsRole } from "./rights_role.ts";

export const CLEAN_ROLE: RightsRole = {
  file: "clean",
  kind: "Role",
  name: "ktctl-clean",
  comment:
    "What `ktctl clean` and `ktctl recover` need in their namespace. What may not be listed is left as " +
    "it is, with a warning.",
  rules: [
    {
      group: "",
      resources: ["services"],
      verbs: ["get", "list", "patch", "delete"],
      comment: "restoring selectors, removing locks, deleting what was made",
    },
    {
      group: "",
      resources: ["pods"],
      verbs: ["get", "list", "watch", "patch", "delete"],
      comment: "the same of pods",
    },
    {
      group: "",
      resources: ["configmaps", "secrets"],
      verbs: ["get", "list", "delete"],
      comment: "the same of what pods had",
    },
    {
      group: "",
      resources: ["configmaps", "secrets"],
      verbs: ["patch"],
      comment:
        "taking dead users out of a router, or a Shadow Pod of connect, that others share",
    },
    {
      group: "apps",
      resources: ["deployments"],
      verbs: ["get", "list", "watch", "patch", "delete"],
      comment: "restoring replicas; deleting shadow Deployments",
    },
    {
      group: "apps",
      resources: ["replicasets"],
      verbs: ["get", "list", "delete"],
      comment:
        "optional: deleting what keeps a Shadow Pod or a router; without it that goes a moment after the " +
        "Stuntman Service, or the router's record",
      optional: true,
    },
    {
      group: "",
      resources: ["serviceaccounts"],
      verbs: ["get", "list", "delete"],
      comment:
        "optional, for --restoreAfter: an account whose ktctl was killed before its pod was made; it has no rights",
      optional: true,
    },
    {
      group: "",
      resources: ["pods/portforward"],
      verbs: ["get", "create"],
      comment: "to ask a shadow's agent whether its laptop is there",
    },
    {
      group: "discovery.k8s.io",
      resources: ["endpointslices"],
      verbs: ["list", "watch"],
      comment: "optional: to know when the traffic has left a router",
      optional: true,
    },
  ],
};
