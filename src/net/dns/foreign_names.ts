import { parse } from "tldts";

/** What programs look for by themselves, and names of the machine itself: with them a Service would get what is not meant for it. */
const RESERVED = new Set([
  "broadcasthost",
  "ip6-allhosts",
  "ip6-allnodes",
  "ip6-allrouters",
  "ip6-localhost",
  "ip6-localnet",
  "ip6-loopback",
  "ip6-mcastprefix",
  "isatap",
  "local",
  "localdomain",
  "localhost",
  "wpad",
]);

/** Top-level domains of no registry, with names of private networks below (RFC 6761, RFC 6762 appendix G, RFC 9476). */
const PRIVATE_DOMAINS = new Set([
  "alt",
  "arpa",
  "corp",
  "example",
  "home",
  "internal",
  "intranet",
  "invalid",
  "lan",
  "local",
  "localdomain",
  "mail",
  "onion",
  "private",
  "test",
]);

/** Tells the names that are others', whatever Services and namespaces are called. */
export class ForeignNames {
  readonly #allowed: readonly string[];

  /** @param allowed Names and domains, `--allowNames`, for which none of this counts. */
  constructor(allowed: readonly string[] = []) {
    this.#allowed = allowed;
  }

  /** `wpad`, `localhost` and the like: a Service never has them. */
  isReserved(name: string): boolean {
    const isReserved = RESERVED.has(name) || name.endsWith(".localhost");
    return isReserved && !this.#allows(name);
  }

  /** Whether anybody can have names in the domain that a name is below of, as `dev` of `web.dev`. */
  isPublic(name: string, domain: string): boolean {
    return isPublicDomain(domain) && !this.#allows(name);
  }

  /** Whether a host of an Ingress takes in names that are none of its own: `*.com`. */
  isTooWide(host: string): boolean {
    const domain = host.replace(/^\*\./, "");
    if (domain.includes("*")) return true;
    if (this.isReserved(domain)) return true;
    // an exact host of one label takes in nothing below it
    return host.includes(".") && this.isPublic(domain, domain);
  }

  #allows(name: string): boolean {
    return this.#allowed.some((one) =>
      name === one || name.endsWith(`.${one}`)
    );
  }
}

/** `com`, `co.uk`, `github.io`, `corp`: what is below has an owner of its own each. */
function isPublicDomain(domain: string): boolean {
  if (PRIVATE_DOMAINS.has(domain)) return true;
  const { publicSuffix, isIcann, isPrivate } = parse(domain, {
    allowPrivateDomains: true,
    extractHostname: false,
    validateHostname: false,
  });
  return publicSuffix === domain && (isIcann === true || isPrivate === true);
}
