/** What to redirect to this process, as the root helper takes it: from nobody it trusts. */
import * as v from "valibot";
import type { exec } from "../../core/exec.ts";
import { bridgeNames } from "../bridges/bridge_names.ts";
import { Cidr, type Family } from "../cidr.ts";
import { excludeCidrs } from "../cidr_list.ts";
import { RESERVED_CIDRS } from "../reserved_cidrs.ts";

const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65535));

const cidr = v.pipe(
  v.string(),
  v.maxLength(50),
  v.check((text) => Cidr.tryParse(text) !== undefined, "Not an IP range"),
);

const address = v.pipe(
  v.string(),
  v.maxLength(50),
  v.check(
    (text) => !text.includes("/") && Cidr.tryParse(text) !== undefined,
    "Not an IP address",
  ),
);

export const redirectArgsSchema = v.strictObject({
  /** Names the rules: those of the same session replace each other. */
  session: v.pipe(v.string(), v.regex(/^[a-z0-9]{1,16}$/)),
  /** Ranges whose TCP connections come to `port` on this machine. */
  cidrs: v.pipe(v.array(cidr), v.maxLength(4096)),
  /** Left alone, even inside of `cidrs`. */
  exclude: v.pipe(v.array(cidr), v.maxLength(4096)),
  /** Of the transparent listener, both families. */
  port,
  dns: v.exactOptional(v.strictObject({
    /** Whose port 53, UDP and TCP, is answered by `port` on this machine. May be loopback. */
    servers: v.pipe(v.array(address), v.maxLength(32)),
    port,
    /**
     * Queries from these source ports go to the servers all the same: the local DNS server's own.
     * It is the one mark that an unprivileged process can put on its packets. Choose them outside of
     * the system's ephemeral ports, or an application gets one of them by chance.
     */
    ownSourcePorts: v.strictObject({ from: port, to: port }),
  })),
  /**
   * Also what comes from containers and virtual machines: then the listener has to take connections
   * on every address. Nothing that comes in by another device is touched.
   */
  forwarded: v.exactOptional(v.strictObject({
    bridges: v.pipe(bridgeNames, v.minLength(1)),
    /** This machine's addresses whose port 53 answers in place of `dns.servers`. */
    nameServers: v.pipe(v.array(address), v.maxLength(32)),
  })),
});

export type RedirectArgs = v.InferOutput<typeof redirectArgsSchema>;

/** What the steps of a redirect act on. */
export interface RedirectMachine {
  readonly exec: typeof exec;
}

/** What of a redirect is one family's. */
export interface FamilyRedirect {
  readonly family: Family;
  readonly captured: readonly string[];
  readonly resolvers: readonly string[];
  /** Of `forwarded`: who answers bridges. */
  readonly nameServer?: string;
}

/** By family; one without anything to redirect is left out. Reserved addresses are never captured. */
export function familiesOf(args: RedirectArgs): FamilyRedirect[] {
  const captured = excludeCidrs(args.cidrs.map(Cidr.parse), [
    ...args.exclude.map(Cidr.parse),
    ...RESERVED_CIDRS,
  ]);
  const resolvers = (args.dns?.servers ?? []).map(Cidr.parse);
  const nameServers = (args.forwarded?.nameServers ?? []).map(Cidr.parse);
  return ([4, 6] as const).map((family) => {
    const addresses = (list: readonly Cidr[]) =>
      list.filter((one) => one.family === family).map(({ address }) => address);
    const [nameServer] = addresses(nameServers);
    return {
      family,
      captured: captured.filter((one) => one.family === family).map(String),
      resolvers: [...new Set(addresses(resolvers))],
      ...nameServer !== undefined && { nameServer },
    };
  }).filter(({ captured, resolvers }) => captured.length + resolvers.length);
}
