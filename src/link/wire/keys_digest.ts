import { createHash } from "node:crypto";

/** Of the public parts of an agent's own key and of its client's: `ssh-ed25519 AAAA…`. */
export function keysDigest(
  hostPublicKey: string,
  clientPublicKey: string,
): string {
  const keys = [hostPublicKey, clientPublicKey].map((text) =>
    text.trim().split(/\s+/).slice(0, 2).join(" ")
  );
  return createHash("sha256").update(`ktctl keys ${keys.join(" ")}`)
    .digest("hex");
}
