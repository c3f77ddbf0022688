import type { Duplex } from "node:stream";
import { Cancelled, LinkError } from "../../core/errors.ts";
import type { ResolvConf } from "../wire/resolv_conf.ts";
import type {
  CallLinkOptions,
  ClusterLink,
  DatagramChannel,
} from "../wire/cluster_link.ts";
import type { Link } from "./link.ts";

/** How long a call waits for a link. */
const PATIENCE_MS = 15_000;

/**
 * The links there are now, as one that lives across reconnects. Links come by {@link use} and leave
 * by themselves when they end. With several, each new connection goes to the one with the fewest:
 * one link is one cipher stream, and that is one processor's work.
 */
export class LinkPool implements ClusterLink {
  readonly #patienceMs: number;
  readonly #onDial: () => void;
  readonly #links: Link[] = [];
  readonly #waiting = new Set<() => void>();
  #resolver: ResolvConf = { nameservers: [], search: [], ndots: 1 };
  #closed = false;

  /** @param options.onDial Told of each connection that came about. */
  constructor(options: { patienceMs?: number; onDial?: () => void } = {}) {
    this.#patienceMs = options.patienceMs ?? PATIENCE_MS;
    this.#onDial = options.onDial ?? (() => {});
  }

  /**
   * Takes a link in, once it has told the pod's resolver. It stays the caller's to close.
   *
   * @throws {LinkError} if it ends before.
   */
  async use(link: Link): Promise<void> {
    this.#resolver = await link.resolver();
    this.#links.push(link);
    void link.closed.then(() => {
      this.#links.splice(this.#links.indexOf(link), 1);
    });
    this.#wake();
  }

  /** As the newest link told; empty before the first. */
  get resolver(): ResolvConf {
    return this.#resolver;
  }

  /** How many links there are. */
  get size(): number {
    return this.#links.length;
  }

  /** Calls that wait, and all later ones, fail with `LINK_DOWN`. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  async dial(
    host: string,
    port: number,
    options: CallLinkOptions = {},
  ): Promise<Duplex> {
    const stream = await this.#call({
      work: (link) => link.dial(host, port),
      giveBack: (stream) => stream.destroy(),
      ...options,
    });
    this.#onDial();
    return stream;
  }

  openDatagrams(
    host: string,
    port: number,
    options: CallLinkOptions = {},
  ): Promise<DatagramChannel> {
    return this.#call({
      work: (link) => link.openDatagrams(host, port),
      giveBack: (channel) => channel.close(),
      ...options,
    });
  }

  resolve(
    query: Uint8Array,
    options: CallLinkOptions = {},
  ): Promise<Uint8Array> {
    const { signal } = options;
    return this.#call({
      work: (link) => link.resolve(query, signal ? { signal } : {}),
      ...options,
    });
  }

  isReachable(host: string, options: CallLinkOptions = {}): Promise<boolean> {
    return this.#call({ work: (link) => link.isReachable(host), ...options });
  }

  /** On another link where the first one was lost meanwhile. */
  async #call<T>(
    { work, giveBack, signal }: CallLinkOptions & {
      work: (link: Link) => Promise<T>;
      /** Of what came after the caller had given up. */
      giveBack?: (result: T) => void;
    },
  ): Promise<T> {
    using deadline = waitingFor(this.#patienceMs, signal);
    for (;;) {
      const link = await this.#pick(deadline.passed);
      const working = work(link);
      try {
        return await Promise.race([working, deadline.cancelled]);
      } catch (error) {
        if (error instanceof Cancelled) {
          working.then(giveBack, () => {});
          throw error;
        }
        // an answer of the pod, and not the end of the link
        if (this.#links.includes(link)) throw error;
      }
    }
  }

  async #pick(passed: Promise<never>): Promise<Link> {
    for (;;) {
      if (this.#closed) throw linkDown("ktctl is stopping");
      const [first, ...rest] = this.#links;
      if (first !== undefined) {
        const link = rest.reduce(
          (best, one) => one.connections < best.connections ? one : best,
          first,
        );
        // of two that are as busy the other one is next
        this.#links.push(...this.#links.splice(this.#links.indexOf(link), 1));
        return link;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.add(resolve);
      try {
        await Promise.race([promise, passed]);
      } finally {
        this.#waiting.delete(resolve);
      }
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
  }
}

/** Two ends of waiting: the caller's, and for a link the deadline too. */
function waitingFor(patienceMs: number, signal: AbortSignal | undefined) {
  const cancelled = Promise.withResolvers<never>();
  const passed = Promise.withResolvers<never>();
  for (const { promise } of [cancelled, passed]) promise.catch(() => {});
  const timer = setTimeout(
    () => passed.reject(linkDown(`it did not come back in ${patienceMs} ms`)),
    patienceMs,
  );
  const abort = () => {
    cancelled.reject(new Cancelled());
    passed.reject(new Cancelled());
  };
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted) abort();
  return {
    cancelled: cancelled.promise,
    passed: passed.promise,
    [Symbol.dispose]() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    },
  };
}

function linkDown(reason: string): LinkError {
  return new LinkError(
    "LINK_DOWN",
    `Link to the Shadow Pod is down: ${reason}`,
  );
}
