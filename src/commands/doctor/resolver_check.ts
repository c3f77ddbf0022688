import { localResolver } from "../connect/local_resolver.ts";
import type { LaptopCheck } from "./laptop_subject.ts";

const KINDS = {
  "systemd-resolved": "systemd-resolved, told of the cluster's domains",
  "resolv-conf": "/etc/resolv.conf, which connect writes its server to",
  "macos": "macOS, told of the cluster's domains in /etc/resolver",
  "windows": "Windows, told of the cluster's domains by NRPT rules",
  "none": "none that ktctl knows",
} as const;

/** Who resolves names here, which `connect` tells of the cluster's. */
export const RESOLVER_CHECK: LaptopCheck = {
  name: "resolver",
  title: "Resolver",
  async look(_subject, signal) {
    const { kind, upstreams, search } = await localResolver(signal);
    const facts = {
      kind,
      upstreams: upstreams.map(({ host }) => host),
      search: [...search],
    };
    if (kind === "none") {
      return {
        state: "warning",
        message: KINDS[kind],
        advice: "Use `ktctl connect --dnsMode hosts`.",
        facts,
      };
    }
    const others = upstreams.length === 0
      ? "it names no other name server"
      : `other names go to ${facts.upstreams.join(", ")}`;
    return {
      state: upstreams.length === 0 ? "warning" : "good",
      message: `${KINDS[kind]}; ${others}`,
      ...(upstreams.length === 0 && {
        advice:
          "Names outside of the cluster may not resolve during connect: look at the resolver's settings.",
      }),
      facts,
    };
  },
};
