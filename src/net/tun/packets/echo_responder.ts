import type { ClusterLink } from "../../../link/wire/cluster_link.ts";
import { addressText } from "./address_text.ts";
import { echoReply } from "./echo_reply.ts";
import { icmpError } from "./icmp_error.ts";
import type { IpPacket } from "./ip_packet.ts";

/** `ping` asks once a second. */
const REMEMBER_MS = 3_000;
const MOST_REMEMBERED = 1024;
/** Somebody who pings has given up by then. */
const ASK_MS = 10_000;

interface Known {
  readonly isReachable: Promise<boolean>;
  readonly until: number;
}

/** Answers pings for addresses that the cluster can reach, and for those alone. */
export class EchoResponder {
  readonly #link: Pick<ClusterLink, "isReachable">;
  readonly #known = new Map<string, Known>();

  constructor(link: Pick<ClusterLink, "isReachable">) {
    this.#link = link;
  }

  /** The answer to a request, or the error that tells why there is none. */
  async answer(request: IpPacket): Promise<Uint8Array | undefined> {
    return await this.#isReachable(addressText(request.destination))
      ? echoReply(request)
      : icmpError(request, "host");
  }

  #isReachable(host: string): Promise<boolean> {
    const now = performance.now();
    const known = this.#known.get(host);
    if (known !== undefined && now < known.until) return known.isReachable;
    const isReachable = this.#ask(host);
    this.#known.delete(host);
    this.#known.set(host, { isReachable, until: now + REMEMBER_MS });
    if (this.#known.size > MOST_REMEMBERED) {
      this.#known.delete(this.#known.keys().next().value!);
    }
    return isReachable;
  }

  async #ask(host: string): Promise<boolean> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), ASK_MS);
    try {
      return await this.#link.isReachable(host, { signal: late.signal });
    } catch {
      return false; // nobody could be asked: it cannot be reached now
    } finally {
      clearTimeout(timer);
    }
  }
}
