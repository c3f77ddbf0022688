// @ts-types="@types/dns-packet"
import { encode } from "dns-packet";
import { RCODE, readHeader } from "../../link/dns/dns_header.ts";
import type { NameServers } from "../../link/dns/name_servers.ts";
import type { ForeignReason } from "./dns_resolver.ts";
import type { ForeignNames } from "./foreign_names.ts";

export interface HostsNamesOptions {
  readonly foreign: ForeignNames;
  /** Who knows what exists outside of the cluster. */
  readonly servers: NameServers;
  /** Tells of a name that is left out, one of each namespace. */
  readonly onForeign: (name: string, reason: ForeignReason) => void;
  readonly nowMs?: () => number;
}

const RECURSION_DESIRED = 0x0100;
/** How many names are asked for at once. */
const MOST_AT_ONCE = 16;
/** For all the names together: connect waits for it. */
const DEADLINE_MS = 2000;
/** After so long, a name that nobody knew about is asked for again. */
const UNSURE_MS = 60_000;

/** Which names of Services a hosts file may have, where they would go before all others. */
export class HostsNames {
  readonly #options: HostsNamesOptions;
  /** What name servers said of public names. */
  readonly #reasons = new Map<string, ForeignReason | undefined>();
  /** Until when names are left out, of which name servers said nothing. */
  readonly #unsureUntilMs = new Map<string, number>();
  readonly #told = new Set<string>();

  #servers: NameServers;
  readonly #nowMs: () => number;

  constructor(options: HostsNamesOptions) {
    this.#options = options;
    this.#servers = options.servers;
    this.#nowMs = options.nowMs ?? (() => performance.now());
  }

  /** Those of the names that are left out. */
  async foreignOf(
    names: Iterable<string>,
    signal: AbortSignal,
  ): Promise<Set<string>> {
    const found = new Set<string>();
    const all = new Set(names);
    await this.#learn([...all].filter((name) => this.#isOpen(name)), signal);
    for (const name of this.#unsureUntilMs.keys()) {
      if (!all.has(name)) this.#unsureUntilMs.delete(name);
    }
    for (const name of all) {
      const reason = this.#reasonOf(name);
      if (reason === undefined) continue;
      found.add(name);
      const kind = name.split(".").at(-1)!;
      if (!this.#told.has(kind)) this.#options.onForeign(name, reason);
      this.#told.add(kind);
    }
    return found;
  }

  /** In how many milliseconds names are to be asked for again, if any are. */
  get againInMs(): number | undefined {
    const untilMs = [...this.#unsureUntilMs.values()];
    if (untilMs.length === 0) return undefined;
    // at once those for which there was no time, else all those of one time together
    const nowMs = this.#nowMs();
    return untilMs.some((until) => until <= nowMs)
      ? 0
      : Math.max(...untilMs) - nowMs;
  }

  /** Other name servers, as in another network: what the former said counts no more. */
  setServers(servers: NameServers): void {
    this.#servers = servers;
    this.#reasons.clear();
    this.#unsureUntilMs.clear();
  }

  #reasonOf(name: string): ForeignReason | undefined {
    if (this.#options.foreign.isReserved(name)) return "reserved";
    return this.#unsureUntilMs.has(name) ? "unsure" : this.#reasons.get(name);
  }

  /** Whether name servers are to be asked for it. */
  #isOpen(name: string): boolean {
    const { foreign } = this.#options;
    const [, namespace, ...more] = name.split(".");
    // short or full
    if (namespace === undefined || more.length > 0) return false;
    if (foreign.isReserved(name) || !foreign.isPublic(name, namespace)) {
      return false;
    }
    if (this.#reasons.has(name)) return false;
    return (this.#unsureUntilMs.get(name) ?? 0) <= this.#nowMs();
  }

  async #learn(names: readonly string[], signal: AbortSignal): Promise<void> {
    if (names.length === 0) return;
    const ended = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]);
    const left = names.values();
    const worker = async () => {
      for (const name of left) {
        // who was not asked for now is not kept waiting by those that nobody answers for
        if (ended.aborted) this.#unsureUntilMs.set(name, 0);
        else this.#note(name, await this.#ask(name, ended));
      }
    };
    await Promise.all(Array.from({ length: MOST_AT_ONCE }, worker));
  }

  #note(name: string, rcode: number | undefined): void {
    this.#unsureUntilMs.delete(name);
    if (rcode === RCODE.NOERROR) this.#reasons.set(name, "exists");
    else if (rcode === RCODE.NXDOMAIN) this.#reasons.set(name, undefined);
    else this.#unsureUntilMs.set(name, this.#nowMs() + UNSURE_MS);
  }

  async #ask(name: string, signal: AbortSignal): Promise<number | undefined> {
    const query = encode({
      type: "query",
      flags: RECURSION_DESIRED,
      questions: [{ name, type: "A" }],
    });
    try {
      const answer = await this.#servers.ask(
        new Uint8Array(query),
        { signal },
      );
      return readHeader(answer)?.rcode;
    } catch {
      return undefined;
    }
  }
}
