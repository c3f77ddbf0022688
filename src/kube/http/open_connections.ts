import type { Duplex } from "node:stream";
import { canonicalAddress } from "../../core/canonical_address.ts";
import { isOfOneLink } from "../../core/machine/own_addresses.ts";

/** The connections of one agent, each with the address of this machine that it comes from. */
export class OpenConnections {
  readonly #local = new Map<Duplex, string>();

  add(connection: Duplex, localAddress: string | undefined): void {
    const address = canonicalAddress(localAddress ?? "");
    const isLasting = address === "" || address === "::1" ||
      address.startsWith("127.") || isOfOneLink(address);
    if (isLasting) return;
    this.#local.set(connection, address);
    connection.once("close", () => this.#local.delete(connection));
  }

  /** Nothing can come by a connection from an address that this machine no longer has. */
  endStranded(own: ReadonlySet<string>): void {
    for (const [connection, address] of this.#local) {
      if (own.has(address)) continue;
      // the code by which a request is sent again where that is safe
      const lost = { code: "ECONNRESET" };
      const message = `This machine no longer has the address ${address}`;
      connection.destroy(
        Object.assign(new Deno.errors.ConnectionReset(message), lost),
      );
    }
  }
}
