import type { AskFrom, DnsServer } from "../../link/dns/ask_server.ts";
import { RCODE, readHeader } from "../../link/dns/dns_header.ts";
import { NameServers } from "../../link/dns/name_servers.ts";
import {
  CLASS_IN,
  type DnsQuestion,
  readQuestion,
  TYPE,
} from "../../link/dns/read_question.ts";
import type { ClusterLink } from "../../link/wire/cluster_link.ts";
import { ClusterNames } from "./cluster_names.ts";
import { DnsCache, type FoundAnswer } from "./dns_cache.ts";
import type { DnsSource } from "./dns_mode.ts";
import { ForeignNames } from "./foreign_names.ts";
import { answerAs, askFor } from "./expanded_query.ts";
import { addressAnswer, errorAnswer } from "./own_answer.ts";
import { firstAnswer, type SourceAnswer } from "./first_answer.ts";

export interface DnsResolverOptions {
  readonly link: Pick<ClusterLink, "resolve" | "resolver">;
  /** The name servers of before. Never our own address. */
  readonly upstreams: readonly DnsServer[];
  /** Whether those know the same names. @default true */
  readonly areUpstreamsAlike?: boolean;
  readonly clusterDomain: string;
  /** Ranges of Services and pods, for names of addresses. */
  readonly cidrs: readonly string[];
  readonly includeDomains?: readonly string[];
  /**
   * What the link itself goes to. Whatever else is said, nobody in the cluster is asked for these names: there
   * they may stand for other addresses, and without a link they could not be had.
   */
  readonly linkHosts?: readonly string[];
  /** Whether the cluster has this namespace; asked at each query. */
  readonly isNamespace: (label: string) => boolean;
  /** Names that are not the cluster's, whatever it has. @default all that are known as such */
  readonly foreign?: ForeignNames;
  /** Tells of names that a Service does not get, each kind of them once. */
  readonly onForeign?: (name: string, reason: ForeignReason) => void;
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

/**
 * `exists`: outside of the cluster, so that it is not looked for in its namespace. `unsure`: nobody
 * outside says whether it exists there. `reserved`: a Service has it, and does not get it.
 */
export type ForeignReason = "exists" | "unsure" | "reserved";

/** How many names are kept of which it was said that nobody has them outside. */
const MOST_ABSENT = 10_000;

const UPSTREAM = { kind: "upstream" } as const;

/** The Ingress may move. */
const INGRESS_TTL_S = 5;

/** Answers each query from where its name belongs. */
export class DnsResolver {
  readonly #options: DnsResolverOptions;
  readonly #timeoutMs: number;
  readonly #names: ClusterNames;
  readonly #cache: DnsCache;
  #upstreams: NameServers;
  #areUpstreamsAlike: boolean;
  readonly #sources: readonly Source[];
  readonly #linkHosts: ReadonlySet<string>;
  readonly #closed = new AbortController();
  /** What was told already. */
  readonly #told = new Set<string>();
  /** Public names that nobody has outside: true also while nobody there answers. */
  readonly #absent = new Set<string>();

  constructor(options: DnsResolverOptions) {
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? 4000;
    this.#names = new ClusterNames({
      includeDomains: [],
      foreign: new ForeignNames(),
      ...options,
      search: options.link.resolver.search,
    });
    this.#cache = new DnsCache({ maxTtlS: options.cacheTtlS ?? 60 });
    this.#areUpstreamsAlike = options.areUpstreamsAlike ?? true;
    this.#upstreams = this.#serversAt(options.upstreams);
    const order = options.order ?? [UPSTREAM];
    this.#sources = order.map((source) => this.#sourceOf(source));
    this.#linkHosts = new Set(options.linkHosts);
  }

  /** The laptop has come into another network. */
  setUpstreams(upstreams: readonly DnsServer[], areAlike = true): void {
    this.#areUpstreamsAlike = areAlike;
    this.#upstreams = this.#serversAt(upstreams);
    this.#absent.clear();
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
    const { name } = question;
    const ingress = question.class === CLASS_IN && !this.#linkHosts.has(name)
      ? this.#options.ingressAddresses?.(name)
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
    const { name } = question;
    if (this.#linkHosts.has(name)) {
      return this.#ask([this.#sourceOf(UPSTREAM)], query, { names: [name] });
    }
    const owner = this.#names.ownerOf(question);
    switch (owner.kind) {
      case "cluster":
        return this.#ask([this.#cluster], query, owner);
      case "shared": {
        // an order that names the cluster says itself when it is asked
        const sources = this.#options.order === undefined
          ? [this.#cluster, ...this.#sources]
          : this.#sources;
        return this.#ask(sources, query, owner);
      }
      case "public":
        return this.#findPublic(query, name, owner.names);
      case "reserved":
        this.#tellReserved(query, name, owner.names);
        if (owner.names.includes(name)) {
          const answer = errorAnswer(query, RCODE.NXDOMAIN);
          return Promise.resolve({ answer, cacheable: false });
        }
    }
    return this.#ask(this.#sources, query, { names: [name] });
  }

  /** Goes to the cluster with what nobody has outside of it. Who cannot say so is believed to have it. */
  async #findPublic(
    query: Uint8Array,
    name: string,
    names: readonly string[],
  ): Promise<FoundAnswer> {
    const parts = this.#sources.length + 1;
    const upstreams = this.#upstreams;
    const outside = await this.#ask(this.#sources, query, {
      names: [name],
      parts,
    }).catch(() => undefined);
    const rcode = outside && readHeader(outside.answer)?.rcode;
    // of another network, if they have changed meanwhile
    if (upstreams === this.#upstreams) this.#noteAbsent(name, rcode);
    const isAbsent = rcode !== RCODE.NOERROR && this.#absent.has(name) ||
      rcode === RCODE.NXDOMAIN;
    if (!isAbsent) this.#tellPublic(name, outside?.answer);
    const { order } = this.#options;
    if (!isAbsent || order?.every(({ kind }) => kind !== "cluster")) {
      return outside ?? servfail(query);
    }
    const inside = await this.#ask([this.#cluster], query, { names, parts });
    return isUnknown(inside.answer) ? outside ?? inside : inside;
  }

  #noteAbsent(name: string, rcode: number | undefined): void {
    if (rcode === RCODE.NOERROR) this.#absent.delete(name);
    if (rcode !== RCODE.NXDOMAIN) return;
    const [oldest] = this.#absent;
    if (this.#absent.size >= MOST_ABSENT) this.#absent.delete(oldest!);
    this.#absent.add(name);
  }

  #tellPublic(name: string, answer: Uint8Array | undefined): void {
    const [, namespace, ...more] = name.split(".");
    if (namespace === undefined || more.length > 0) return;
    if (answer !== undefined && isUnknown(answer)) return;
    const exists = answer && readHeader(answer)?.rcode === RCODE.NOERROR;
    const reason = exists ? "exists" : "unsure";
    const kind = `${reason} ${namespace}`;
    if (this.#told.has(kind)) return;
    this.#told.add(kind);
    this.#options.onForeign?.(name, reason);
  }

  /** If there is a Service of that name: others ask for it all the time. */
  #tellReserved(
    query: Uint8Array,
    name: string,
    names: readonly string[],
  ): void {
    const { onForeign } = this.#options;
    const full = names[0] ?? name;
    if (onForeign === undefined || this.#told.has(full)) return;
    this.#told.add(full);
    this.#ask([this.#cluster], query, { names }).then(({ answer }) => {
      if (readHeader(answer)!.counts[1] > 0) onForeign(name, "reserved");
    }).catch(() => this.#told.delete(full));
  }

  /** Asks one source after the other; the cluster for `names`. */
  #ask(
    sources: readonly Source[],
    query: Uint8Array,
    { names, parts = sources.length }: {
      names: readonly string[];
      parts?: number;
    },
  ): Promise<FoundAnswer> {
    // who does not answer must leave time for the next
    const timeoutMs = this.#timeoutMs / parts;
    return firstAnswer(
      sources.map((source, at) => () => {
        const deadline = AbortSignal.timeout(timeoutMs);
        const signal = AbortSignal.any([this.#closed.signal, deadline]);
        const isLast = at === sources.length - 1;
        return source(query, { names, isLast, signal });
      }),
    );
  }

  #serversAt(servers: readonly DnsServer[]): NameServers {
    return new NameServers(servers, {
      from: this.#options.askFrom ?? {},
      areAlike: this.#areUpstreamsAlike,
    });
  }

  #sourceOf(source: DnsSource): Source {
    if (source.kind === "cluster") return this.#cluster;
    if (source.kind === "server") {
      const servers = this.#serversAt([source.server]);
      return async (query, { signal }) => ({
        answer: await servers.ask(query, { signal }),
      });
    }
    const { kind: _, ...how } = source;
    if (Object.keys(how).length === 0) {
      return async (query, { signal }) => ({
        answer: await this.#upstreams.ask(query, { signal }),
      });
    }
    return async (query, { signal }) => {
      const servers = this.#upstreams.servers.map((one) => ({
        ...one,
        ...how,
      }));
      return { answer: await this.#serversAt(servers).ask(query, { signal }) };
    };
  }

  /**
   * Asks for all the full names at once and takes the first, in their order, that has records. An answer
   * without one is final where a name has an address: a Service without an AAAA has none elsewhere either.
   */
  readonly #cluster: Source = async (query, { names, isLast, signal }) => {
    const answer = await this.#askCluster(query, names, signal);
    const isWhole = names.every((full) => full === readQuestion(query)?.name);
    return {
      answer: isWhole ? answer : answerAs(query, answer),
      isFinal: !isLast && isEmpty(answer) &&
        await this.#hasAddress(query, names, signal),
    };
  };

  async #askCluster(
    query: Uint8Array,
    names: readonly string[],
    signal: AbortSignal,
    type?: number,
  ): Promise<Uint8Array> {
    const { link } = this.#options;
    const name = readQuestion(query)?.name;
    const asked = names.map((full) => {
      // what is asked for as it is stays so, byte for byte
      const isSame = full === name && type === undefined;
      const message = isSame ? query : askFor(query, full, type);
      return link.resolve(message, { signal });
    });
    for (const one of asked) one.catch(() => {}); // looked at below, in turn
    const sources = asked.map((one) => async () => ({ answer: await one }));
    return (await firstAnswer(sources)).answer;
  }

  async #hasAddress(
    query: Uint8Array,
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const asked = readQuestion(query)?.type;
    const types = [TYPE.A, TYPE.AAAA].filter((type) => type !== asked);
    const answers = types.map((type) =>
      this.#askCluster(query, names, signal, type)
    );
    const settled = await Promise.allSettled(answers);
    return settled.some((one) =>
      one.status === "fulfilled" && hasRecords(one.value)
    );
  }
}

/** Who is asked; the cluster under other names than the query's. */
type Source = (
  query: Uint8Array,
  options: {
    names: readonly string[];
    /** Nobody is asked after it. */
    isLast: boolean;
    signal: AbortSignal;
  },
) => Promise<SourceAnswer>;

function servfail(query: Uint8Array): FoundAnswer {
  return { answer: errorAnswer(query, RCODE.SERVFAIL), cacheable: false };
}

function hasRecords(answer: Uint8Array): boolean {
  return (readHeader(answer)?.counts[1] ?? 0) > 0;
}

/** The name is there, without a record of the type. */
function isEmpty(answer: Uint8Array): boolean {
  return readHeader(answer)?.rcode === RCODE.NOERROR && !hasRecords(answer);
}

function isUnknown(answer: Uint8Array): boolean {
  return readHeader(answer)?.rcode === RCODE.NXDOMAIN;
}
