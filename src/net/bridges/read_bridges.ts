/** The bridges of this machine, behind which its containers and virtual machines are. */
import type { exec, ExecOptions } from "../../core/exec.ts";
import { UnsupportedError } from "../../core/errors.ts";
import { Cidr } from "../cidr.ts";
import { isOrdinary } from "../reserved_cidrs.ts";

/** A network device, as far as it matters who sends by it. */
export interface Device {
  readonly name: string;
  readonly isBridge: boolean;
  /** Its other end is on this machine, in a container, say. */
  readonly isPair: boolean;
  /** A device by which others than this machine's own guests send too, where there is one. */
  readonly strangersBy?: string;
  /** Addresses that it has, but those of its link alone. */
  readonly addresses: readonly string[];
  /** Their networks. */
  readonly networks: readonly Cidr[];
}

interface IpLink {
  readonly ifname?: string;
  readonly master?: string;
  readonly linkinfo?: { readonly info_kind?: string };
  readonly addr_info?: readonly {
    readonly local?: string;
    readonly prefixlen?: number;
  }[];
}

/** What a container or a virtual machine is plugged in by; behind any other port is a network. */
const GUEST_PORTS = ["veth", "tun", "dummy"];

/**
 * Asks `ip`, which tells of the network that this process is in, as /sys does not always.
 *
 * @throws {UnsupportedError} `BRIDGES_UNKNOWN`, `COMMAND_NOT_FOUND`.
 */
export async function readDevices(
  run: typeof exec,
  options: ExecOptions = {},
): Promise<Device[]> {
  const [links, ...defaults] = await Promise.all([
    ask(run, ["-details", "address", "show"], options),
    ask(run, ["-4", "route", "show", "default"], options),
    ask(run, ["-6", "route", "show", "default"], options),
  ]);
  const waysOut = defaults.flat().flatMap(({ dev }) => dev ?? []);
  return links.map((link) => deviceOf(link, { links, waysOut }));
}

/** Those whose senders are this machine's own guests alone. */
export function guestBridges(devices: readonly Device[]): Device[] {
  return devices.filter(({ isBridge, strangersBy }) =>
    isBridge && strangersBy === undefined
  );
}

/** Where this machine's own guests have their addresses. */
export function guestNetworks(devices: readonly Device[]): Cidr[] {
  return devices.filter(({ isBridge, isPair, strangersBy }) =>
    (isBridge || isPair) && strangersBy === undefined
  ).flatMap(({ networks }) => networks);
}

function deviceOf(
  link: IpLink,
  { links, waysOut }: { links: readonly IpLink[]; waysOut: readonly string[] },
): Device {
  const { ifname: name = "", linkinfo, addr_info = [] } = link;
  const strange =
    links.find(({ master, linkinfo }) =>
      master === name && !GUEST_PORTS.includes(linkinfo?.info_kind ?? "")
    )?.ifname ?? (waysOut.includes(name) ? name : undefined);
  const own = addr_info.flatMap(({ local = "", prefixlen }) => {
    const address = Cidr.tryParse(local);
    const network = Cidr.tryParse(`${local}/${prefixlen}`);
    return address && network && isOrdinary(address)
      ? [{ address: local, network }]
      : [];
  });
  return {
    name,
    isBridge: linkinfo?.info_kind === "bridge",
    isPair: linkinfo?.info_kind === "veth",
    ...strange !== undefined && { strangersBy: strange },
    addresses: own.map(({ address }) => address),
    networks: own.map(({ network }) => network),
  };
}

async function ask(
  run: typeof exec,
  words: readonly string[],
  options: ExecOptions,
): Promise<(IpLink & { readonly dev?: string })[]> {
  const { code, stdout, stderr } = await run(
    "ip",
    ["-json", ...words],
    options,
  );
  try {
    if (code === 0) return JSON.parse(stdout.trim() || "[]");
  } catch {
    // told below
  }
  throw new UnsupportedError(
    "BRIDGES_UNKNOWN",
    `Cannot read this machine's bridges: "ip ${words.join(" ")}": ${
      stderr.trim() || "no JSON"
    }`,
    { hint: "Install iproute2 (busybox's `ip` is not enough)." },
  );
}
