import { networkInterfaces } from "node:os";
import { Cidr } from "../cidr.ts";
import { isOrdinary } from "../reserved_cidrs.ts";
import { isNamed } from "./bridge_name.ts";

/**
 * Who may ask what is open for bridges: this machine, and whoever has an address in the network of a
 * bridge that is named. An address can be forged; the answer then goes to the bridge, and no
 * connection comes about.
 */
export class BridgeSenders {
  readonly #names: readonly string[];
  #known: readonly Cidr[] = [];

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** @param address Of a socket's peer: `10.0.0.1`, `::ffff:10.0.0.1`, `fe80::1%eth0`. */
  has(address: string | undefined): boolean {
    const sender = Cidr.tryParse(address ?? "");
    if (sender === undefined) return false; // with a zone: of one link alone
    const isKnown = () => this.#known.some((cidr) => cidr.contains(sender));
    if (isKnown()) return true;
    this.#known = sendersOf(this.#names); // bridges come and go
    return isKnown();
  }
}

function sendersOf(names: readonly string[]): Cidr[] {
  return Object.entries(networkInterfaces()).flatMap(([device, own = []]) =>
    own.flatMap(({ address, cidr }) => {
      const self = Cidr.tryParse(address);
      if (self === undefined) return [];
      const network = isNamed(names, device) && isOrdinary(self)
        ? Cidr.tryParse(cidr ?? "")
        : undefined;
      return network === undefined ? [self] : [self, network];
    })
  );
}
