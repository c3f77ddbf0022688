import { readLocalNetworks } from "../../net/local_networks.ts";
import type { LaptopCheck } from "./laptop_subject.ts";

/** As VPNs call their devices. `ktctl0` is a connect's. */
const VPN =
  /^(tun|utun|tap|wg|ppp|ipsec|tailscale|zt|nordlynx|proton|cscotun|gpd|vpn|cilium_wg)/i;
/** So wide a route takes all that no other one takes. */
const WIDE_BITS = 2;

/** Other tunnels on this machine. Whether they overlap with the cluster is another check's. */
export const VPN_CHECK: LaptopCheck = {
  name: "vpn",
  title: "Other tunnels",
  async look({ exec }, signal) {
    const { networks } = await readLocalNetworks(exec, { signal });
    const ofVpn = networks.filter(({ device }) => VPN.test(device));
    if (ofVpn.length === 0) return { state: "good", message: "none" };
    const devices = Map.groupBy(ofVpn, ({ device }) => device);
    const facts = Object.fromEntries(
      [...devices].map(([device, of]) => [
        device,
        of.map(({ cidr }) => `${cidr}`),
      ]),
    );
    const names = [...devices.keys()].join(", ");
    const isWide = ofVpn.some(({ cidr }) => cidr.prefix < WIDE_BITS);
    return isWide
      ? {
        state: "warning",
        message: `${names}, with a route for all addresses`,
        advice:
          "The cluster's ranges are narrower, and go to ktctl. A VPN that forbids other routes or other name servers may undo that: try without it if connect does not work.",
        facts,
      }
      : {
        state: "good",
        message: `${names}: ${ofVpn.length} routes`,
        facts,
      };
  },
};
