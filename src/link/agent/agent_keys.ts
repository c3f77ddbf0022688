import { readFile } from "node:fs/promises";
import { UsageError } from "../../core/errors.ts";
import { loadSsh2 } from "../wire/ssh2.ts";

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
export async function hostPublicKey({ hostKey }: AgentKeys): Promise<string> {
  const { utils } = await loadSsh2();
  const key = utils.parseKey(hostKey);
  if (key instanceof Error) {
    throw new UsageError("AGENT_KEY_INVALID", "Cannot parse the host key");
  }
  return `${key.type} ${key.getPublicSSH().toString("base64")}`;
}
