import { ADMISSION_CHECK } from "./admission_check.ts";
import { CLOCK_CHECK } from "./clock_check.ts";
import type { ClusterCheck } from "./cluster_subject.ts";
import { DNS_CHECK } from "./dns_check.ts";
import { LINK_WAYS_CHECK } from "./link_ways_check.ts";
import { NAMESPACE_CHECK } from "./namespace_check.ts";
import { NETWORK_POLICIES_CHECK } from "./network_policies_check.ts";
import { QUOTA_CHECK } from "./quota_check.ts";
import { RANGES_CHECK } from "./ranges_check.ts";
import { RIGHTS_CHECK } from "./rights_check.ts";
import { VERSION_CHECK } from "./version_check.ts";

/** In the order of their lines. */
export const CLUSTER_CHECKS: readonly ClusterCheck[] = [
  VERSION_CHECK,
  CLOCK_CHECK,
  NAMESPACE_CHECK,
  RIGHTS_CHECK,
  ADMISSION_CHECK,
  QUOTA_CHECK,
  LINK_WAYS_CHECK,
  DNS_CHECK,
  RANGES_CHECK,
  NETWORK_POLICIES_CHECK,
];
