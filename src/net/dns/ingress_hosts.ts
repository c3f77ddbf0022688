import { ForeignNames } from "./foreign_names.ts";

/** Hosts of Ingress rules, all of which lead to one address (`--ingressIp`). */
export class IngressHosts {
  readonly #addresses: readonly string[];
  readonly #foreign: ForeignNames;
  #hosts = new Set<string>();

  /** @param address What the names stand for. */
  constructor(address: string, foreign = new ForeignNames()) {
    this.#addresses = [address];
    this.#foreign = foreign;
  }

  /**
   * Returns those that are not obeyed, as they take in others' names.
   *
   * @param hosts As in Ingress rules: `shop.example.com`, `*.example.com`.
   */
  set(hosts: Iterable<string>): string[] {
    const all = [...hosts].map((host) => host.toLowerCase());
    const tooWide = all.filter((host) => this.#foreign.isTooWide(host));
    this.#hosts = new Set(all).difference(new Set(tooWide));
    return tooWide;
  }

  /** The addresses of a host in lower case. A `*` stands for one label, as in an Ingress. */
  readonly addressesOf = (host: string): readonly string[] | undefined => {
    const wildcard = host.replace(/^[^.]+/, "*");
    return this.#hosts.has(host) || this.#hosts.has(wildcard)
      ? this.#addresses
      : undefined;
  };
}
