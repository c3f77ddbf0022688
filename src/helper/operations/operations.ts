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
import type { RootOperations } from "../root_operations.ts";
import { systemdResolvedOperation } from "./systemd_resolved_operation.ts";
import {
  openTunOperation,
  probeTunOperation,
  tunRoutesOperation,
} from "./tun_operations.ts";

/** An operation of any shape, as kept in tables. */
// deno-lint-ignore no-explicit-any -- a table holds operations of unlike arguments; each checks its own by `args`
export type AnyOperation = Operation<any, Json>;

type Operations = {
  readonly [Name in keyof RootOperations]: Operation<
    RootOperations[Name]["args"],
    RootOperations[Name]["result"]
  >;
};

export const OPERATIONS_BY_NAME: Operations = {
  "redirect.probe": probeRedirectOperation,
  "redirect.open": openRedirectOperation,
  "redirect.update": updateRedirectOperation,
  "redirect.destination": redirectDestinationOperation,
  "resolver.resolv-conf": resolvConfOperation,
  "resolver.hosts": hostsOperation,
  "resolver.systemd-resolved": systemdResolvedOperation,
  "resolver.macos": macosResolverOperation,
  "resolver.nrpt": nrptOperation,
  "dns.probe": probePort53Operation,
  "dns.port53": port53Operation,
  "tun.probe": probeTunOperation,
  "tun.open": openTunOperation,
  "tun.routes": tunRoutesOperation,
};

/** All that the root helper does. Nothing else can be asked of it. */
export const OPERATIONS: readonly AnyOperation[] = Object.values(
  OPERATIONS_BY_NAME,
) as unknown as AnyOperation[];
