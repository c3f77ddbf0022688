import type { Socket } from "node:net";
import { Cidr } from "../cidr.ts";
import type { Destination, Destinations } from "./original_destination.ts";
import type { PfQuery } from "./pf_natlook.ts";

/** Has root ask macOS's pf: nobody else may. Not verified on a Mac. */
export class PfDestinations implements Destinations {
  readonly #ask: (query: PfQuery) => Promise<Destination | undefined>;

  constructor(ask: (query: PfQuery) => Promise<Destination | undefined>) {
    this.#ask = ask;
  }

  async of(socket: Socket): Promise<Destination | undefined> {
    const { remoteAddress, remotePort, localPort } = socket;
    // one of a single link has the link's name behind it, and is never redirected
    const source = Cidr.tryParse(remoteAddress ?? "")?.address;
    if (source === undefined || !remotePort || !localPort) return undefined;
    return await this.#ask({ source, sourcePort: remotePort, port: localPort });
  }

  [Symbol.dispose](): void {}
}
