import type { LocalResolver } from "../../net/dns/detect_resolver.ts";
import type { TransportNeeds, TransportPlugin } from "../../plugins/plugin.ts";
import type { PlanNotes } from "../dry_run/plan_notes.ts";
import type { CapturedRanges } from "./captured_ranges.ts";
import type { ConnectOptions } from "./connect_options.ts";

/** What the root helper would change where it sets up names, by who resolves them on this machine. */
const RESOLVERS: Readonly<Record<LocalResolver["kind"], string>> = {
  "systemd-resolved":
    "tell systemd-resolved to ask ktctl for the cluster's names",
  "resolv-conf": "put ktctl's name server into /etc/resolv.conf",
  "macos": "put files into /etc/resolver for the cluster's names",
  "windows": "make rules of Windows' name resolution for the cluster's names",
  "none": "set up name resolution",
};

/**
 * What `connect` would do to this machine, as far as it is known without root and without a link to the
 * cluster. Nothing of a plugin is called for it.
 */
export function planMachine(
  { machine, unknown }: PlanNotes,
  { plugin, needs, options, ranges, local, isLed }: {
    plugin: Pick<TransportPlugin<never>, "name" | "summary">;
    needs: TransportNeeds;
    options: Pick<ConnectOptions, "dnsMode" | "includeBridges" | "dnsPort">;
    ranges: Pick<CapturedRanges, "cidrs"> | undefined;
    local: LocalResolver;
    /** The transport leads the machine's queries to ktctl. */
    isLed: boolean;
  },
): void {
  machine.push(`open mode "${plugin.name}": ${plugin.summary}`);
  if (needs.captures) {
    machine.push("start the root helper, by sudo where this user is not root");
    machine.push(
      `lead to the cluster what goes to ${
        ranges?.cidrs.join(", ") || "nothing"
      }`,
    );
    unknown.push(
      "what only root sees: whether the device or the firewall's rules can be made, and how they are called",
    );
  }
  if (options.includeBridges.length > 0) {
    machine.push(
      `let containers and virtual machines of ${
        options.includeBridges.join(", ")
      } reach the cluster`,
    );
  }
  if (needs.dns === "none") return;
  if (options.dnsMode.kind === "hosts") {
    machine.push("write the names of Services into the hosts file");
    return;
  }
  machine.push(
    `answer DNS on ${
      options.dnsPort === 0 ? "a free port" : `port ${options.dnsPort}`
    } of this machine's loopback`,
  );
  machine.push(
    isLed
      ? `lead there what goes to port 53 of this machine's name servers: ${
        local.upstreams.map(({ host }) => host).join(", ") || "none"
      }`
      : RESOLVERS[local.kind],
  );
  unknown.push("the cluster's domain and search domains, which the pod tells");
}
