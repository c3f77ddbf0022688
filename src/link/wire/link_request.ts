import { createHash } from "node:crypto";
import type { LinkProtocol } from "./link_protocol.ts";

/** Their names in the header `Upgrade`. */
export const UPGRADE_NAMES: Readonly<Record<LinkProtocol, string>> = {
  ssh: "ktctl-ssh",
  tls: "ktctl-tls",
};
export const LINK_PATH = "/link";
/** Of the header with {@link linkToken}. Headers are in no audit log. */
export const LINK_TOKEN_HEADER = "ktctl-link-token";

/**
 * What a client of the agent has to know before SSH is spoken with it: a port on all of a pod's
 * addresses is within reach of the whole cluster. It stands before the login and replaces nothing of it.
 *
 * @param hostPublicKey `ssh-ed25519 AAAA…`; only those who may read the pod's Secret know it
 */
export function linkToken(hostPublicKey: string): string {
  const [type, key] = hostPublicKey.trim().split(/\s+/);
  return createHash("sha256").update(`ktctl link ${type} ${key}`)
    .digest("hex");
}
