/** What the root helper can be asked for. Types only, written out as they are part of `mod.ts`. */

/**
 * By name, what an operation takes and gives. The helper checks every argument again, and refuses with
 * the error codes that are named. Addresses are texts such as `10.0.0.1` and `fd00::1`, ranges such as
 * `10.96.0.0/12`. A session's name is at most 16 of `a-z0-9`.
 */
export interface RootOperations {
  /** Whether connections can be redirected, and how. Changes nothing. `REDIRECT_UNSUPPORTED`. */
  readonly "redirect.probe": {
    readonly args: {
      /** Also what comes from bridges. */
      readonly forwarded?: boolean;
    };
    readonly result: Redirected;
  };
  /** Redirects by the best method of this machine. `REDIRECT_UNSUPPORTED`. */
  readonly "redirect.open": {
    readonly args: Redirect;
    readonly result: Redirected;
  };
  /** Puts other rules in the place of an open redirect's, in one moment. `REDIRECT_NOT_OPEN`. */
  readonly "redirect.update": {
    readonly args: {
      /** What `redirect.open` gave. */
      readonly method: Redirected["method"];
      readonly redirect: Redirect;
    };
    readonly result: null;
  };
  /** macOS alone: where a redirected connection wanted to go; `null` for one that pf does not know. */
  readonly "redirect.destination": {
    readonly args: {
      readonly source: string;
      readonly sourcePort: number;
      /** Of the loopback address that it was redirected to. */
      readonly port: number;
    };
    readonly result: { readonly host: string; readonly port: number } | null;
  };
  /**
   * Puts a name server first into /etc/resolv.conf. Events: `{ type: "resolv-conf", nameservers, kept }`
   * when somebody else wrote the file, `{ type: "resolv-conf-unwatched", reason }`.
   */
  readonly "resolver.resolv-conf": {
    readonly args: { readonly nameserver: string; readonly search: string[] };
    readonly result: null;
  };
  /** Puts lines into the hosts file, in place of those of the call before. */
  readonly "resolver.hosts": {
    readonly args: {
      readonly entries: {
        readonly address: string;
        readonly names: string[];
      }[];
    };
    readonly result: null;
  };
  /** Split DNS of a link by systemd-resolved, in place of what the call before said of it. */
  readonly "resolver.systemd-resolved": {
    readonly args: {
      /** A link that is up and has `nameserver` as an address of its own, or a route to it. */
      readonly device: string;
      readonly nameserver: string;
      /** Complete short names. */
      readonly search: string[];
      /** Go to the name server without completing anything. */
      readonly routed: string[];
    };
    readonly result: null;
  };
  /** Split DNS of macOS. `skipped` are domains that somebody else has a file for. */
  readonly "resolver.macos": {
    readonly args: {
      readonly nameserver: string;
      readonly port: number;
      readonly domains: string[];
    };
    readonly result: { readonly skipped: string[] };
  };
  /** Split DNS of Windows. `NRPT_OVERRULED`. */
  readonly "resolver.nrpt": {
    readonly args: {
      readonly session: string;
      readonly nameserver: string;
      readonly domains: string[];
      /** What Windows puts behind names without a dot, where the session has a device. */
      readonly suffix?: string;
    };
    readonly result: null;
  };
  /** Whether `dns.port53` works there. Changes nothing. */
  readonly "dns.probe": {
    readonly args: { readonly address: string };
    readonly result: null;
  };
  /** Hands what comes to port 53 of an address to a port of 127.0.0.1. `DNS_ADDRESS_REFUSED`, `DNS_PORT_TAKEN`. */
  readonly "dns.port53": {
    readonly args: {
      /** A loopback address, one of our own device, or one of a bridge that is named. */
      readonly address: string;
      /** Who may ask there, too: containers and virtual machines behind these. */
      readonly bridges?: string[];
      readonly targetPort: number;
    };
    readonly result: null;
  };
  /** Whether there can be a TUN device. Changes nothing. */
  readonly "tun.probe": {
    readonly args: Record<string, never>;
    readonly result: Record<string, never>;
  };
  /** A TUN device with addresses and routes. On Windows the client has made it. */
  readonly "tun.open": {
    readonly args: {
      readonly session: string;
      /** Whose device it is: the process that carries the packets. */
      readonly uid: number;
      /** 1280 to 65535. */
      readonly mtu: number;
      /** Ranges that are routed into the device. */
      readonly cidrs: string[];
    };
    readonly result: {
      readonly device: string;
      readonly ipv4: { readonly local: string; readonly peer: string };
      /** Left out where this machine has IPv6 switched off. */
      readonly ipv6?: { readonly local: string; readonly peer: string };
    };
  };
  /** Puts other routes in the place of an open device's. `TUN_NOT_OPEN`. */
  readonly "tun.routes": {
    readonly args: {
      readonly session: string;
      readonly device: string;
      readonly cidrs: string[];
    };
    readonly result: null;
  };
}

type Redirected = { readonly method: "nft" | "iptables" | "pf" };

type Redirect = {
  /** Names the rules: those of the same session replace each other. */
  readonly session: string;
  /** Ranges whose TCP connections come to `port` on this machine. */
  readonly cidrs: string[];
  /** Left alone, even inside of `cidrs`. */
  readonly exclude: string[];
  /** Of the transparent listener, both families. */
  readonly port: number;
  readonly dns?: {
    /** Whose port 53, UDP and TCP, is answered by `port` on this machine. May be loopback. */
    readonly servers: string[];
    readonly port: number;
    /** Queries from these source ports go to the servers all the same. */
    readonly ownSourcePorts: { readonly from: number; readonly to: number };
  };
  /** Also what comes from containers and virtual machines. */
  readonly forwarded?: {
    readonly bridges: string[];
    /** This machine's addresses whose port 53 answers in place of `dns.servers`. */
    readonly nameServers: string[];
  };
};
