/** What stands beside the Role of a command, for flags that several of them have. */
import type { RightsRole } from "./rights_role.ts";

export const SHADOW_DEPLOYMENT_ROLE: RightsRole = {
  file: "shadow-deployment",
  kind: "Role",
  name: "ktctl-shadow-deployment",
  comment: "Beside one of the others, for --useShadowDeployment.",
  rules: [
    {
      group: "apps",
      resources: ["deployments"],
      verbs: ["get", "list", "watch", "create", "patch", "delete"],
      comment: "only for --useShadowDeployment: it is made instead of a pod",
      onlyFor: ["useShadowDeployment"],
    },
  ],
};

export const RESTORE_AFTER_ROLE: RightsRole = {
  file: "restore-after",
  kind: "Role",
  name: "ktctl-restore-after",
  comment:
    "Beside one of the others, for --restoreAfter: the account as which the Shadow Pod takes everything " +
    "back. Nobody can grant what they do not have: the other Role has to be held as well, with what is " +
    "optional in it of ReplicaSets.",
  rules: [
    {
      group: "",
      resources: ["serviceaccounts"],
      verbs: ["get", "create", "patch", "delete"],
      comment:
        "only for --restoreAfter: its names are random; it goes with the Shadow Pod",
      onlyFor: ["restoreAfter"],
    },
    {
      group: "rbac.authorization.k8s.io",
      resources: ["roles", "rolebindings"],
      verbs: ["create"],
      comment:
        "only for --restoreAfter: rights to the objects of this session alone, each by its name",
      onlyFor: ["restoreAfter"],
    },
  ],
};
