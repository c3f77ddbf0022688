import type { RightsRole } from "./rights_role.ts";
import { AGENT_FILES, LINK, POD_EVENTS } from "./shared_rules.ts";

export const PREVIEW_ROLE: RightsRole = {
  file: "preview",
  kind: "Role",
  name: "ktctl-preview",
  comment: "What `ktctl preview` needs in its namespace.",
  rules: [
    {
      group: "",
      resources: ["services"],
      verbs: ["get", "list", "watch", "create", "patch", "delete"],
      comment: "the Service that is made",
    },
    {
      group: "",
      resources: ["pods"],
      verbs: ["get", "list", "watch", "create", "patch", "delete"],
      comment: "the Shadow Pod",
    },
    AGENT_FILES,
    ...LINK,
    {
      group: "discovery.k8s.io",
      resources: ["endpointslices"],
      verbs: ["list", "watch"],
      comment:
        "optional: to know when the traffic comes; without it ktctl does not wait",
      optional: true,
    },
    POD_EVENTS,
  ],
};
