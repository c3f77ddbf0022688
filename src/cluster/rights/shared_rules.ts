/** Rules that several Roles have. */
import type { RightRule } from "./right_rule.ts";

export const AGENT_FILES: RightRule = {
  group: "",
  resources: ["configmaps", "secrets"],
  verbs: ["create"],
  comment: "the agent's program and its keys, which go with the pod",
};

/** Either is enough. */
export const LINK: readonly RightRule[] = [
  {
    group: "",
    resources: ["pods/proxy"],
    verbs: ["get"],
    comment: "the link, straight to the pod",
    way: "link",
  },
  {
    group: "",
    resources: ["pods/portforward"],
    verbs: ["get", "create"],
    comment:
      "only where that is not allowed or leads nowhere (a network policy, a sidecar): the link by a " +
      "port-forward, half as fast; create from Kubernetes 1.35 on",
    way: "link",
  },
];

export const POD_EVENTS: RightRule = {
  group: "",
  resources: ["events"],
  verbs: ["list"],
  comment: "optional: to say why a pod does not start",
  optional: true,
};
