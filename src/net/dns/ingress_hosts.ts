/** Hosts of Ingress rules, all of which lead to one address (`--ingressIp`). */
export class IngressHosts {
  readonly #addresses: readonly string[];
  #hosts = new Set<string>();

  /** @param address What the names stand for. */
  constructor(address: string) {
    this.#addresses = [address];
  }

  /** @param hosts As in Ingress rules: `shop.example.com`, `*.example.com`. */
  set(hosts: Iterable<string>): void {
    this.#hosts = new Set([...hosts].map((host) => host.toLowerCase()));
  }

  /** The addresses of a host in lower case. A `*` stands for one label, as in an Ingress. */
  readonly addressesOf = (host: string): readonly string[] | undefined => {
    const wildcard = host.replace(/^[^.]+/, "*");
    return this.#hosts.has(host) || this.#hosts.has(wildcard)
      ? this.#addresses
      : undefined;
  };
}
