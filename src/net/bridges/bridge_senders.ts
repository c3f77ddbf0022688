import { networkInterfaces } from "node:os";
import { Cidr } from "../cidr.ts";
import { isOrdinary } from "../reserved_cidrs.ts";
import { isNamed } from "./bridge_name.ts";

/**
 * Who may ask what is open for bridges: this machine, and whoever has an address in the network of a
 * bridge that is named. Looked up each time: bridges come and go, and their networks may be those of
 * strangers then. An address can be forged; the answer goes to the bridge all the same, and no
 * connection comes about.
 */
export class BridgeSenders {
  readonly #names: readonly string[];

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** @param address Of a socket's peer: `10.0.0.1`, `::ffff:10.0.0.1`, `fe80::1%eth0`. */
  has(address: string | undefined): boolean {
    const sender = Cidr.tryParse(address ?? "");
    if (sender === undefined) return false; // with a zone: of one link alone
    return ownDevices().some(([device, own = []]) => {
      const isBridge = isNamed(this.#names, device);
      return own.some(({ address, cidr }) => {
        const self = Cidr.tryParse(address);
        if (self === undefined) return false;
        if (self.equals(sender)) return true;
        return isBridge && isOrdinary(self) &&
          Cidr.tryParse(cidr ?? "")?.contains(sender) === true;
      });
    });
  }
}

/** None where there is no file left for the socket that the system asks by: nobody is let in then. */
function ownDevices(): [
  string,
  ReturnType<typeof networkInterfaces>[string],
][] {
  try {
    return Object.entries(networkInterfaces());
  } catch {
    return [];
  }
}
