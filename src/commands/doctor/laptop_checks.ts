import { FIREWALL_CHECK } from "./firewall_check.ts";
import type { LaptopCheck } from "./laptop_subject.ts";
import { MACHINE_LEFTOVERS_CHECK } from "./machine_leftovers_check.ts";
import { PROXY_CHECK } from "./proxy_check.ts";
import { RESOLVER_CHECK } from "./resolver_check.ts";
import { ROOT_CHECK } from "./root_check.ts";
import { SESSIONS_CHECK } from "./sessions_check.ts";
import { SYSTEM_CHECK } from "./system_check.ts";
import { TUN_CHECK } from "./tun_check.ts";
import { VPN_CHECK } from "./vpn_check.ts";

/** In the order of their lines. */
export const LAPTOP_CHECKS: readonly LaptopCheck[] = [
  SYSTEM_CHECK,
  ROOT_CHECK,
  TUN_CHECK,
  FIREWALL_CHECK,
  RESOLVER_CHECK,
  VPN_CHECK,
  PROXY_CHECK,
  MACHINE_LEFTOVERS_CHECK,
  SESSIONS_CHECK,
];
