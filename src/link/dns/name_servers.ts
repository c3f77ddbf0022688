import { LinkError } from "../../core/errors.ts";
import {
  type AskFrom,
  type AskOptions,
  askServer,
  type DnsServer,
} from "./ask_server.ts";
import { RCODE, readHeader } from "./dns_header.ts";

/** Without an answer after so long, the next server is asked as well. */
const NEXT_AFTER_MS = 1000;

export interface NameServersOptions {
  readonly from?: AskFrom;
  /**
   * Whether they know the same names, as in a resolv.conf. Those of several networks, as of a VPN beside
   * the one at home, do not: a name that one does not know may be another's. @default true
   */
  readonly areAlike?: boolean;
}

/** Several name servers. */
export class NameServers {
  readonly servers: readonly DnsServer[];
  /** The one that answered last is asked first: a dead one costs its second only once. */
  #first = 0;

  readonly #from: AskFrom;
  readonly #areAlike: boolean;

  constructor(
    servers: readonly DnsServer[],
    { from = {}, areAlike = true }: NameServersOptions = {},
  ) {
    this.servers = servers;
    this.#from = from;
    this.#areAlike = areAlike;
  }

  /**
   * The first answer that a server stands by: one that says SERVFAIL or REFUSED is passed over for
   * as long as another may still answer; where they are not alike, "no such name" too, for a second.
   *
   * @throws {LinkError} `DNS_NO_SERVER`, `DNS_NO_ANSWER`.
   */
  async ask(
    query: Uint8Array,
    options: Omit<AskOptions, keyof AskFrom> = {},
  ): Promise<Uint8Array> {
    if (this.servers.length === 0) {
      throw new LinkError("DNS_NO_SERVER", "There is no name server to ask");
    }
    const { timeoutMs = 5000, signal } = options;
    signal?.throwIfAborted();
    const first = this.#first;
    const done = new AbortController();
    const ended = AbortSignal.any([
      done.signal,
      AbortSignal.timeout(timeoutMs),
      ...(signal === undefined ? [] : [signal]),
    ]);
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    let failures = 0;
    let poor: Uint8Array | undefined;
    let patience: ReturnType<typeof setTimeout> | undefined;
    let failure: unknown;
    const failed = () => {
      // once it is over, no server is asked that has not been
      if (++failures < this.servers.length && !ended.aborted) return;
      if (poor === undefined) reject(failure ?? ended.reason);
      else resolve(poor);
    };
    const start = async (rank: number): Promise<void> => {
      const index = (first + rank) % this.servers.length;
      const server = this.servers[index];
      if (server === undefined || ended.aborted) return failed();
      const next = once(() => {
        if (rank + 1 < this.servers.length) start(rank + 1);
      });
      const timer = setTimeout(next, NEXT_AFTER_MS);
      try {
        const answer = await askServer(query, server, {
          ...this.#from,
          signal: ended,
          timeoutMs,
        });
        const rcode = readHeader(answer)?.rcode;
        const isUnknown = rcode === RCODE.NXDOMAIN;
        if (rcode === RCODE.NOERROR || isUnknown && this.#areAlike) {
          this.#first = index;
          return resolve(answer);
        }
        if (isUnknown) {
          poor = answer;
          patience ??= setTimeout(() => resolve(answer), NEXT_AFTER_MS);
        } else poor ??= answer;
      } catch (error) {
        failure = error;
      } finally {
        clearTimeout(timer);
      }
      next();
      failed();
    };
    start(0);
    return await promise.finally(() => {
      clearTimeout(patience);
      done.abort();
    });
  }
}

function once(call: () => void): () => void {
  let called = false;
  return () => {
    if (called) return;
    called = true;
    call();
  };
}
