import type { AskFrom, DnsServer } from "../../core/dns/ask_server.ts";
import { RCODE, readHeader } from "../../core/dns/dns_header.ts";
import { NameServers } from "../../core/dns/name_servers.ts";
import {
  CLASS_IN,
  type DnsQuestion,
  readQuestion,
  TYPE,
} from "../../core/dns/read_question.ts";
import type { ClusterLink } from "../cluster_link.ts";
import { ClusterNames } from "./cluster_names.ts";
import { DnsCache, type FoundAnswer } from "./dns_cache.ts";
import type { DnsSource } from "./dns_mode.ts";
import { answerAs, askFor } from "./expanded_query.ts";
import { addressAnswer, errorAnswer } from "./own_answer.ts";
import { firstAnswer } from "./first_answer.ts";

export interface DnsResolverOptions {
  readonly link: Pick<ClusterLink, "resolve" | "resolver">;
  /** The name servers of before. Never our own address. */
  readonly upstreams: readonly DnsServer[];
  readonly clusterDomain: string;
  /** Ranges of Services and pods, for names of addresses. */
  readonly cidrs: readonly string[];
  readonly includeDomains?: readonly string[];
  /** Whether the cluster has this namespace; asked at each query. */
  readonly isNamespace: (label: string) => boolean;
  /** Of `--dnsMode localDNS:order`: who is asked for a name that is not the cluster's alone. */
  readonly order?: readonly DnsSource[];
  /** Addresses of hosts that go to the Ingress; `undefined` for all others. */
  readonly ingressAddresses?: (
    host: string,
  ) => readonly string[] | undefined;
  /** `--dnsCacheTtl`. @default 60 */
  readonly cacheTtlS?: number;
  /** Below the five seconds after which libc asks again. @default 4000 */
  readonly timeoutMs?: number;
  /** From where name servers outside of the cluster are asked. */
  readonly askFrom?: AskFrom;
}

/** The Ingress may move. */
const INGRESS_TTL_S = 5;

/** Answers each query from where its name belongs. */
export class DnsResolver {
  readonly #options: DnsResolverOptions;
  readonly #timeoutMs: number;
  readonly #names: ClusterNames;
  readonly #cache: DnsCache;
  #upstreams: NameServers;
  readonly #sources: readonly Source[];
  readonly #closed = new AbortController();

  constructor(options: DnsResolverOptions) {
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? 4000;
    this.#names = new ClusterNames({
      includeDomains: [],
      ...options,
      search: options.link.resolver.search,
    });
    this.#cache = new DnsCache({ maxTtlS: options.cacheTtlS ?? 60 });
    this.#upstreams = this.#serversAt(options.upstreams);
    const order = options.order ?? [{ kind: "upstream" }];
    this.#sources = order.map((source) => this.#sourceOf(source));
  }

  /** The laptop has come into another network. */
  setUpstreams(upstreams: readonly DnsServer[]): void {
    this.#upstreams = this.#serversAt(upstreams);
    this.#cache.clear();
  }

  /** Forgets what it knows: Services have come or gone, or the link has come back. */
  clearCache(): void {
    this.#cache.clear();
  }

  /** Ends what is under way. */
  close(): void {
    this.#closed.abort();
  }

  /** The answer to a query, SERVFAIL where nobody has one in time; `undefined` for what deserves none. Never rejects. */
  async answer(query: Uint8Array): Promise<Uint8Array | undefined> {
    const header = readHeader(query);
    if (header === undefined || header.isResponse) return undefined;
    if (header.opcode !== 0) return errorAnswer(query, RCODE.NOTIMP);
    const question = readQuestion(query);
    if (question === undefined) return errorAnswer(query, RCODE.FORMERR);
    // zone transfers take more than one message
    if (question.type === TYPE.AXFR || question.type === TYPE.IXFR) {
      return errorAnswer(query, RCODE.NOTIMP);
    }
    const ingress = question.class === CLASS_IN
      ? this.#options.ingressAddresses?.(question.name)
      : undefined;
    if (ingress !== undefined) {
      return addressAnswer(query, ingress, { ttlS: INGRESS_TTL_S });
    }
    try {
      return await this.#cache.answer(query, () => this.#find(query, question));
    } catch {
      return errorAnswer(query, RCODE.SERVFAIL);
    }
  }

  #find(query: Uint8Array, question: DnsQuestion): Promise<FoundAnswer> {
    const owner = this.#names.ownerOf(question);
    const cluster: Source = (query, signal) => this.#askCluster(query, signal);
    // an order that names the cluster says itself when it is asked
    const sources = owner.kind === "cluster"
      ? [cluster]
      : owner.kind === "shared" && this.#options.order === undefined
      ? [cluster, ...this.#sources]
      : this.#sources;
    // who does not answer must leave time for the next
    const timeoutMs = this.#timeoutMs / sources.length;
    return firstAnswer(
      sources.map((source) => () =>
        source(
          query,
          AbortSignal.any([
            this.#closed.signal,
            AbortSignal.timeout(timeoutMs),
          ]),
        )
      ),
    );
  }

  #serversAt(servers: readonly DnsServer[]): NameServers {
    return new NameServers(servers, this.#options.askFrom);
  }

  #sourceOf(source: DnsSource): Source {
    if (source.kind === "cluster") {
      return (query, signal) => this.#askCluster(query, signal);
    }
    if (source.kind === "server") {
      const servers = this.#serversAt([source.server]);
      return (query, signal) => servers.ask(query, { signal });
    }
    const { kind: _, ...how } = source;
    if (Object.keys(how).length === 0) {
      return (query, signal) => this.#upstreams.ask(query, { signal });
    }
    return (query, signal) => {
      const servers = this.#upstreams.servers.map((one) => ({
        ...one,
        ...how,
      }));
      return this.#serversAt(servers).ask(query, { signal });
    };
  }

  /** Asks for all the full names at once and takes the first, in their order, that has records. */
  async #askCluster(
    query: Uint8Array,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const { link } = this.#options;
    const question = readQuestion(query);
    const owner = question && this.#names.ownerOf(question);
    if (
      owner === undefined || owner.kind === "other" ||
      owner.names.every((full) => full === question?.name)
    ) return await link.resolve(query, { signal });
    const asked = owner.names.map((full) =>
      link.resolve(askFor(query, full), { signal })
    );
    for (const one of asked) one.catch(() => {}); // looked at below, in turn
    const { answer } = await firstAnswer(asked.map((one) => () => one));
    return answerAs(query, answer);
  }
}

type Source = (query: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>;
