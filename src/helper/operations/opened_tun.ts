import type { TunAddresses } from "../../net/tun/tun_capture.ts";

/** A device for the client to carry packets of. */
export type OpenedTun = {
  readonly device: string;
  readonly ipv4: TunAddresses;
  /** Left out where this machine has IPv6 switched off. */
  readonly ipv6?: TunAddresses;
};
