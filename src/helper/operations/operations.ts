import type { Json } from "../../core/json.ts";
import { hostsOperation } from "./hosts_operation.ts";
import { macosResolverOperation } from "./macos_resolver_operation.ts";
import { nrptOperation } from "./nrpt_operation.ts";
import type { Operation } from "./operation.ts";
import { port53Operation, probePort53Operation } from "./port53_operation.ts";
import {
  openRedirectOperation,
  probeRedirectOperation,
  redirectDestinationOperation,
  updateRedirectOperation,
} from "./redirect_operations.ts";
import { resolvConfOperation } from "./resolv_conf_operation.ts";
import { systemdResolvedOperation } from "./systemd_resolved_operation.ts";
import {
  openTunOperation,
  probeTunOperation,
  tunRoutesOperation,
} from "./tun_operations.ts";

/** An operation of any shape, as kept in tables. */
// deno-lint-ignore no-explicit-any -- a table holds operations of unlike arguments; each checks its own by `args`
export type AnyOperation = Operation<any, Json>;

/** All that the root helper does. Nothing else can be asked of it. */
export const OPERATIONS: readonly AnyOperation[] = [
  probeRedirectOperation as AnyOperation,
  openRedirectOperation as AnyOperation,
  updateRedirectOperation,
  redirectDestinationOperation as unknown as AnyOperation,
  resolvConfOperation,
  hostsOperation,
  systemdResolvedOperation,
  macosResolverOperation,
  probePort53Operation,
  nrptOperation,
  port53Operation,
  probeTunOperation,
  openTunOperation as AnyOperation,
  tunRoutesOperation,
];
