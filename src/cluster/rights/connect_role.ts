import type { RightsRole } from "./rights_role.ts";
import { AGENT_FILES, LINK, POD_EVENTS } from "./shared_rules.ts";

export const CONNECT_ROLE: RightsRole = {
  file: "connect",
  kind: "Role",
  name: "ktctl-connect",
  comment:
    "What `ktctl connect` needs in its namespace, both modes. connect-cluster.yaml beside it spares guesses.",
  rules: [
    {
      group: "",
      resources: ["pods"],
      verbs: ["get", "list", "watch", "create", "patch", "delete"],
      comment:
        "the Shadow Pod; list also tells the addresses of Pods, where nodes may not be listed",
    },
    AGENT_FILES,
    {
      group: "",
      resources: ["configmaps", "secrets"],
      names: ["kt-connect-shadow-daemon"],
      verbs: ["get", "patch", "delete"],
      comment:
        "only for --shareShadow: the record that all meet at, and the agent's program",
      onlyFor: ["shareShadow"],
    },
    ...LINK,
    {
      group: "",
      resources: ["services"],
      verbs: ["list", "watch"],
      comment:
        "not for --disableTunDevice: the addresses of Services, where ServiceCIDRs may not be listed",
      notFor: ["disableTunDevice"],
    },
    {
      group: "",
      resources: ["services"],
      verbs: ["create"],
      comment:
        "optional: no Service is made, but the refusal of an impossible one names their range",
      optional: true,
      notFor: ["disableTunDevice"],
    },
    {
      group: "discovery.k8s.io",
      resources: ["endpointslices"],
      verbs: ["list", "watch"],
      comment: "only for --dnsMode hosts: the pods of headless Services",
      onlyFor: ["dnsMode=hosts"],
    },
    {
      group: "networking.k8s.io",
      resources: ["ingresses"],
      verbs: ["list", "watch"],
      comment: "only for --ingressIp",
      onlyFor: ["ingressIp"],
    },
    {
      group: "apps",
      resources: ["deployments"],
      verbs: ["get"],
      comment:
        "optional, only for --shareShadow: to find a shared pod that was made with --useShadowDeployment",
      optional: true,
      onlyFor: ["shareShadow"],
    },
    POD_EVENTS,
  ],
};

export const CONNECT_CLUSTER_ROLE: RightsRole = {
  file: "connect-cluster",
  kind: "ClusterRole",
  name: "ktctl-connect",
  comment:
    "Optional, beside connect.yaml: with it `ktctl connect` knows all addresses and namespaces of the " +
    "cluster, and follows them; without, it guesses and says so. Bind it with a ClusterRoleBinding.",
  rules: [
    {
      group: "",
      resources: ["nodes"],
      verbs: ["list", "watch"],
      comment: "optional: the ranges of Pods",
      optional: true,
      notFor: ["disableTunDevice"],
    },
    {
      group: "networking.k8s.io",
      resources: ["servicecidrs"],
      verbs: ["list", "watch"],
      comment:
        "optional: the ranges of Services, from Kubernetes 1.33 on (1.31 as beta)",
      optional: true,
      notFor: ["disableTunDevice"],
    },
    {
      group: "",
      resources: ["services"],
      verbs: ["list", "watch"],
      comment: "optional: before, what Services of all namespaces have",
      optional: true,
      notFor: ["disableTunDevice"],
    },
    {
      group: "",
      resources: ["namespaces"],
      verbs: ["list", "watch"],
      comment:
        "optional: names such as web.shop, with a namespace that is not your own",
      optional: true,
      notFor: ["disableTunDevice"],
    },
    {
      group: "",
      resources: ["pods"],
      verbs: ["list"],
      comment: "optional: only where nodes do not tell the ranges of Pods",
      optional: true,
      notFor: ["disableTunDevice"],
    },
    {
      group: "networking.k8s.io",
      resources: ["ingresses"],
      verbs: ["list", "watch"],
      comment: "optional, only for --ingressIp: those of all namespaces",
      optional: true,
      onlyFor: ["ingressIp"],
    },
  ],
};
