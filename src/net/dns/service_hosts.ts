/** What is needed of a Service to name its addresses. */
export interface NamedService {
  readonly name: string;
  readonly namespace: string;
  /** Its cluster IPs, or those of its pods where it has none. */
  readonly addresses: readonly string[];
}

/** A line of a hosts file. */
export interface HostsEntry {
  readonly address: string;
  readonly names: readonly string[];
}

/** The lines of `--dnsMode hosts`: `IP [svc] svc.ns svc.ns.svc.domain`, short names in the session's namespace. */
export function serviceHosts(
  services: readonly NamedService[],
  options: { clusterDomain: string; namespace: string },
): HostsEntry[] {
  const { clusterDomain, namespace } = options;
  return services.flatMap((service) => {
    const inNamespace = `${service.name}.${service.namespace}`;
    const names = [
      ...(service.namespace === namespace ? [service.name] : []),
      inNamespace,
      `${inNamespace}.svc.${clusterDomain}`,
    ];
    return service.addresses
      .filter((address) => address !== "" && address !== "None")
      .map((address) => ({ address, names }));
  });
}
