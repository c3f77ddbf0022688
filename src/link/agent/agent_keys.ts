import { readFile } from "node:fs/promises";
import { readOpenSshKey } from "../wire/openssh_key.ts";

/** The two files of the Secret. */
export interface AgentKeys {
  /** The agent's own private key, as OpenSSH text. */
  readonly hostKey: string;
  /** `ssh-ed25519 AAAA…` of the one client that may log in. */
  readonly authorizedKey: string;
}

/** Names of the files in {@link AGENT_KEYS_DIR}. */
export const HOST_KEY_FILE = "host_key";
export const AUTHORIZED_KEY_FILE = "authorized_key";

export async function readAgentKeys(dir: string): Promise<AgentKeys> {
  const [hostKey, authorizedKey] = await Promise.all(
    [HOST_KEY_FILE, AUTHORIZED_KEY_FILE].map((name) =>
      readFile(`${dir}/${name}`, "utf8")
    ),
  );
  return { hostKey: hostKey!, authorizedKey: authorizedKey! };
}

/** The public part of the agent's own key: `ssh-ed25519 AAAA…`. */
export function hostPublicKey({ hostKey }: AgentKeys): string {
  return readOpenSshKey(hostKey).publicKey;
}
