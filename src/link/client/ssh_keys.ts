import { loadSsh2 } from "../ssh/ssh2.ts";

/** A fresh ed25519 key pair. */
export interface SshKeyPair {
  /** OpenSSH private key, as text. */
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA…`, one line without a comment. */
  readonly publicKey: string;
}

/**
 * ssh2 (1.17.0) drops the leading zeros of a key, and makes one in 256 so that nobody can read it:
 * those are thrown away.
 */
export async function generateKeyPair(): Promise<SshKeyPair> {
  const { utils } = await loadSsh2();
  for (;;) {
    const { private: privateKey, public: publicKey } = utils
      .generateKeyPairSync("ed25519");
    const isSound = [privateKey, publicKey].every((text) =>
      !(utils.parseKey(text) instanceof Error)
    );
    if (isSound) return { privateKey, publicKey: publicKey.trim() };
  }
}
