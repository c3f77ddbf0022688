import type { exec } from "../../core/exec.ts";
import { Cidr } from "../cidr.ts";
import { BridgeSenders } from "./bridge_senders.ts";
import { guestNetworks, readDevices } from "./read_bridges.ts";

/** A stranger who sends a lot must not have this machine read its devices all the time. */
const READ_EVERY_MS = 1_000;

export interface ForwardedSendersOptions {
  readonly exec: typeof exec;
  /** Of the device, which nearly all of this machine's own packets have. */
  readonly own: readonly string[];
  /** Told once, of the first who is refused. */
  readonly onStranger?: (address: string) => void;
}

/**
 * Who may send into a device that leads to the cluster: this machine and its own guests, even where
 * it passes on what anybody sends (`ip_forward`), as with Docker it does.
 */
export class ForwardedSenders {
  readonly #options: ForwardedSendersOptions;
  readonly #self = new BridgeSenders([]);
  #guests: Promise<readonly Cidr[]> = Promise.resolve([]);
  #readAtMs = -Infinity;
  #isTold = false;

  constructor(options: ForwardedSendersOptions) {
    this.#options = options;
  }

  /** At once for this machine itself. */
  has(address: string): boolean | Promise<boolean> {
    if (this.#options.own.includes(address)) return true;
    return this.#self.has(address) || this.#isGuest(address);
  }

  async #isGuest(address: string): Promise<boolean> {
    const sender = Cidr.parse(address);
    const isIn = (guests: readonly Cidr[]) =>
      guests.some((network) => network.contains(sender));
    const known = await this.#guests;
    const fresh = this.#read(); // a network that was a guest's may be a stranger's by now
    if (isIn(known) || isIn(await fresh)) return true;
    if (!this.#isTold) this.#options.onStranger?.(address);
    this.#isTold = true;
    return false;
  }

  #read(): Promise<readonly Cidr[]> {
    const nowMs = performance.now();
    if (nowMs - this.#readAtMs < READ_EVERY_MS) return this.#guests;
    this.#readAtMs = nowMs;
    return this.#guests = readDevices(this.#options.exec)
      .then(guestNetworks, () => []);
  }
}
