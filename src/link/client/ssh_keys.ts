import { generateKeyPairSync } from "node:crypto";
import { formatOpenSshKey } from "../wire/openssh_key.ts";

/** A fresh ed25519 key pair, in the form that either protocol of a link takes. */
export interface SshKeyPair {
  /** OpenSSH private key, as text. */
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA…`, one line without a comment. */
  readonly publicKey: string;
}

/** Without ssh2, which takes 100 ms to load, and which a link by TLS does not need. */
export function generateKeyPair(): SshKeyPair {
  const { privateKey } = generateKeyPairSync("ed25519");
  return formatOpenSshKey(privateKey);
}
