/** The one place that loads the ssh2 library, on first use: that costs about 100 ms. */
import "../../core/commonjs_globals.ts";
import { withFinishedCiphers } from "./finished_ciphers.ts";
// @ts-types="@types/ssh2"
import type * as Ssh2 from "ssh2";

export type {
  AuthContext,
  Client,
  ClientChannel,
  Connection,
  ServerChannel,
} from "ssh2";

let loaded: Promise<typeof Ssh2> | undefined;

/** The library's classes. */
export function loadSsh2(): Promise<typeof Ssh2> {
  return loaded ??= withFinishedCiphers(async () => {
    // @ts-types="@types/ssh2"
    const module = await import("ssh2") as unknown as { default: typeof Ssh2 };
    return module.default;
  });
}

/**
 * What both ends offer. ChaCha20 first: AES in Deno's `node:crypto` does not use the processor's
 * instructions (see bench/link_bench.ts). No compression: it would cost more than it saves.
 */
export const SSH_ALGORITHMS: Ssh2.Algorithms = {
  kex: ["curve25519-sha256", "curve25519-sha256@libssh.org"],
  cipher: [
    "chacha20-poly1305@openssh.com",
    "aes128-gcm@openssh.com",
    "aes128-ctr",
  ],
  serverHostKey: ["ssh-ed25519"],
  compress: ["none"],
};
