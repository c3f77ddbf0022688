/** An address of the device's own, and the one at its other end, where nobody is. */
export type TunAddresses = {
  readonly local: string;
  readonly peer: string;
};

/** A device for the client to carry packets of. */
export type OpenedTun = {
  readonly device: string;
  readonly ipv4: TunAddresses;
  /** Left out where this machine has IPv6 switched off. */
  readonly ipv6?: TunAddresses;
};
