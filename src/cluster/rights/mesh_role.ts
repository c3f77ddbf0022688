import type { RightsRole } from "./rights_role.ts";
import { AGENT_FILES, LINK, POD_EVENTS } from "./shared_rules.ts";

export const MESH_ROLE: RightsRole = {
  file: "mesh",
  kind: "Role",
  name: "ktctl-mesh",
  comment: "What `ktctl mesh` needs in its namespace, both modes.",
  rules: [
    {
      group: "",
      resources: ["services"],
      verbs: ["get", "patch"],
      comment: "the Service that is meshed",
    },
    {
      group: "",
      resources: ["services"],
      verbs: ["list", "watch", "create", "delete"],
      comment:
        "not for --mode manual: the Stuntman and Shadow Services beside it",
      notFor: ["mode=manual"],
    },
    {
      group: "",
      resources: ["services"],
      verbs: ["list"],
      comment: "only for deploy/<name>: which Services it has",
      onlyFor: ["deploy"],
    },
    {
      group: "",
      resources: ["services"],
      verbs: ["list"],
      comment:
        "optional, only for --mode manual: to warn where other Services have the same pods",
      optional: true,
      onlyFor: ["mode=manual"],
    },
    {
      group: "",
      resources: ["services"],
      verbs: ["list", "watch"],
      comment:
        "optional, only for --mode manual: to wait while somebody else sets that Service up",
      optional: true,
      onlyFor: ["mode=manual"],
    },
    {
      group: "",
      resources: ["pods"],
      verbs: ["get", "list", "watch", "create", "patch", "delete"],
      comment: "the Router Pod and the Shadow Pod",
    },
    {
      ...AGENT_FILES,
      comment:
        "the agent's program and its keys, which go with the pod; the router's record",
    },
    {
      group: "",
      resources: ["configmaps"],
      verbs: ["get", "list", "watch", "patch", "delete"],
      comment:
        "not for --mode manual: the router's record, which all its users watch: resourceNames: " +
        '[web-kt-router] is enough for Service "web"',
      notFor: ["mode=manual"],
    },
    ...LINK,
    {
      group: "",
      resources: ["pods/portforward"],
      verbs: ["get", "create"],
      comment:
        "not for --mode manual: the router's runtime API, and whether other users are still there",
      notFor: ["mode=manual"],
    },
    {
      group: "apps",
      resources: ["replicasets"],
      verbs: ["get", "create", "patch", "delete"],
      comment:
        "optional: a router that comes back by itself when its pod goes while nobody is there; without it " +
        'ktctl warns. resourceNames: [web-kt-router] is enough for Service "web", but for create',
      optional: true,
      notFor: ["mode=manual"],
    },
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
      resources: ["deployments"],
      verbs: ["get"],
      comment: "only for deploy/<name>",
      onlyFor: ["deploy"],
    },
    {
      group: "networking.istio.io",
      resources: ["virtualservices", "destinationrules"],
      verbs: ["get", "list", "create", "patch", "delete"],
      comment: "only for --applyRules",
      onlyFor: ["applyRules"],
    },
  ],
};
