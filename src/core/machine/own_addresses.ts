import { networkInterfaces } from "node:os";
import { canonicalAddress } from "../canonical_address.ts";

/** The addresses of this machine that others may know: not its loopback's, nor those of one link alone. */
export function ownAddresses(): ReadonlySet<string> {
  const all = Object.values(networkInterfaces()).flatMap((found) =>
    found ?? []
  );
  return new Set(
    all.filter(({ internal, address }) => !internal && !isOfOneLink(address))
      .map(({ address }) => canonicalAddress(address)),
  );
}

/** A container that starts or ends has such ones come and go. */
export function isOfOneLink(address: string): boolean {
  return /^fe[89ab]/i.test(address) || address.startsWith("169.254.");
}
