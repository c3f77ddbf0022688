// @ts-types="@types/dns-packet"
import { encode } from "dns-packet";
import { RCODE, readHeader } from "../../core/dns/dns_header.ts";
import type { NameServers } from "../../core/dns/name_servers.ts";
import type { ForeignReason } from "./dns_resolver.ts";
import type { ForeignNames } from "./foreign_names.ts";

export interface HostsNamesOptions {
  readonly foreign: ForeignNames;
  /** Who knows what exists outside of the cluster. */
  readonly servers: NameServers;
  /** Tells of a name that is left out, one of each namespace. */
  readonly onForeign: (name: string, reason: ForeignReason) => void;
}

const RECURSION_DESIRED = 0x0100;

/** Which names of Services a hosts file may have, where they would go before all others. */
export class HostsNames {
  readonly #options: HostsNamesOptions;
  /** What name servers said of public names. */
  readonly #reasons = new Map<string, ForeignReason | undefined>();
  readonly #told = new Set<string>();

  constructor(options: HostsNamesOptions) {
    this.#options = options;
  }

  /** Those of the names that are left out. */
  async foreignOf(
    names: Iterable<string>,
    signal: AbortSignal,
  ): Promise<Set<string>> {
    const found = new Set<string>();
    for (const name of new Set(names)) {
      const reason = await this.#reasonOf(name, signal);
      if (reason === undefined) continue;
      found.add(name);
      const kind = name.split(".").at(-1)!;
      if (!this.#told.has(kind)) this.#options.onForeign(name, reason);
      this.#told.add(kind);
    }
    return found;
  }

  async #reasonOf(
    name: string,
    signal: AbortSignal,
  ): Promise<ForeignReason | undefined> {
    const { foreign } = this.#options;
    if (foreign.isReserved(name)) return "reserved";
    const [, namespace, ...more] = name.split(".");
    // short or full
    if (namespace === undefined || more.length > 0) return undefined;
    if (!foreign.isPublic(name, namespace)) return undefined;
    if (this.#reasons.has(name)) return this.#reasons.get(name);
    const rcode = await this.#ask(name, signal);
    if (rcode !== RCODE.NXDOMAIN && rcode !== RCODE.NOERROR) return "unsure";
    const reason = rcode === RCODE.NOERROR ? "exists" as const : undefined;
    this.#reasons.set(name, reason);
    return reason;
  }

  async #ask(name: string, signal: AbortSignal): Promise<number | undefined> {
    const query = encode({
      type: "query",
      flags: RECURSION_DESIRED,
      questions: [{ name, type: "A" }],
    });
    try {
      const answer = await this.#options.servers.ask(
        new Uint8Array(query),
        { signal },
      );
      return readHeader(answer)?.rcode;
    } catch {
      return undefined;
    }
  }
}
