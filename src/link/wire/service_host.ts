/**
 * What the agent offers beside TCP connections. A client asks for it as for a TCP connection
 * (`direct-tcpip`), by a host below a name that cannot exist: ssh2 knows no channel types of others.
 */

/** RFC 6761: no name below `invalid` is ever given to anybody. */
const SUFFIX = ".ktctl.invalid";

export type ServiceHost =
  /** DNS messages to the pod's resolvers and back, framed, many at once, matched by their ids. */
  | { readonly service: "dns" }
  /** The pod's resolv.conf, as JSON of `ResolvConf`. */
  | { readonly service: "resolver" }
  /**
   * A UDP socket that is connected to `host`: datagrams, framed. Ended when idle, reset when the
   * peer refuses.
   */
  | { readonly service: "udp"; readonly host: string }
  /** Opened and ended at once if the pod reaches `host`, else refused. */
  | { readonly service: "reach"; readonly host: string };

export function formatServiceHost(target: ServiceHost): string {
  const { service } = target;
  return "host" in target
    ? `${target.host}.${service}${SUFFIX}`
    : `${service}${SUFFIX}`;
}

/** `undefined` for any other host. */
export function parseServiceHost(host: string): ServiceHost | undefined {
  if (!host.endsWith(SUFFIX)) return undefined;
  const name = host.slice(0, -SUFFIX.length);
  if (name === "dns" || name === "resolver") return { service: name };
  for (const service of ["udp", "reach"] as const) {
    const target = name.slice(0, -service.length - 1);
    if (target !== "" && name.endsWith(`.${service}`)) {
      return { service, host: target };
    }
  }
  return undefined;
}
