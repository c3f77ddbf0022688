import type { Buffer } from "node:buffer";
import crypto from "node:crypto";

/**
 * ssh2 makes three ChaCha20 ciphers for every packet and never calls their `final()`. Deno (2.9.6)
 * frees a cipher in `final()` only, so that each packet would leave 800 bytes behind at each end:
 * 27 MiB for every GiB. ssh2 takes the two functions from `node:crypto` when it loads; it gets ones
 * that finish after the only `update()`.
 *
 * Noticed by: "Deno keeps a cipher that was not finished".
 *
 * @returns what `load` returned.
 */
export async function withFinishedCiphers<T>(
  load: () => Promise<T>,
): Promise<T> {
  const { createCipheriv, createDecipheriv } = crypto;
  Object.assign(crypto, {
    createCipheriv: finishing(createCipheriv),
    createDecipheriv: finishing(createDecipheriv),
  });
  try {
    return await load();
  } finally {
    Object.assign(crypto, { createCipheriv, createDecipheriv });
  }
}

interface Cipher {
  update(data: Uint8Array): Buffer;
  final(): Buffer;
}

function finishing(create: unknown): (...args: unknown[]) => unknown {
  return (...args) => {
    const cipher = (create as (...args: unknown[]) => Cipher)(...args);
    if (args[0] !== "chacha20") return cipher;
    return {
      update(data: Uint8Array): Buffer {
        const output = cipher.update(data);
        cipher.final();
        return output;
      },
    };
  };
}
