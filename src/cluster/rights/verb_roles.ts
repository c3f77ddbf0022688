import { RESTORE_AFTER_ROLE, SHADOW_DEPLOYMENT_ROLE } from "./added_roles.ts";
import { CLEAN_ROLE } from "./clean_role.ts";
import { CONNECT_CLUSTER_ROLE, CONNECT_ROLE } from "./connect_role.ts";
import { EXCHANGE_ROLE } from "./exchange_role.ts";
import { FORWARD_ROLE } from "./forward_role.ts";
import { MESH_ROLE } from "./mesh_role.ts";
import { PREVIEW_ROLE } from "./preview_role.ts";
import type { RightsRole } from "./rights_role.ts";

const TRAFFIC = [SHADOW_DEPLOYMENT_ROLE, RESTORE_AFTER_ROLE];

/** The Roles that a command may need, its own first: the one table of rights. */
export const VERB_ROLES = {
  connect: [CONNECT_ROLE, CONNECT_CLUSTER_ROLE, SHADOW_DEPLOYMENT_ROLE],
  exchange: [EXCHANGE_ROLE, ...TRAFFIC],
  mesh: [MESH_ROLE, ...TRAFFIC],
  preview: [PREVIEW_ROLE, ...TRAFFIC],
  forward: [FORWARD_ROLE, SHADOW_DEPLOYMENT_ROLE],
  clean: [CLEAN_ROLE],
  recover: [CLEAN_ROLE],
} as const satisfies Readonly<Record<string, readonly RightsRole[]>>;

export type RightsVerb = keyof typeof VERB_ROLES;

export const RIGHTS_VERBS = Object.keys(VERB_ROLES) as RightsVerb[];
