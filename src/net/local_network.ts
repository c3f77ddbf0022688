import type { Cidr } from "./cidr.ts";

/** A network that a route leads to. Default routes are not among them. */
export interface LocalNetwork {
  readonly cidr: Cidr;
  readonly device: string;
  /** `on-link`: on the device itself. `route`: behind a gateway or a VPN. */
  readonly kind: "on-link" | "route";
}

export interface LocalNetworks {
  readonly networks: readonly LocalNetwork[];
  /** This machine's own addresses, but loopback. */
  readonly addresses: readonly Cidr[];
  /** Of default routes. */
  readonly gateways: readonly Cidr[];
}
