import { IngressNames } from "../../cluster/discovery/ingress_names.ts";
import type { ForeignNames } from "../../net/dns/foreign_names.ts";
import { IngressHosts } from "../../net/dns/ingress_hosts.ts";
import type { Session } from "../session/session.ts";

/** Keeps the hosts of Ingresses, all at one address (`--ingressIp`). */
export function followIngresses(
  { kube, scope, report }: Session,
  ingressIp: string,
  foreign: ForeignNames,
): IngressHosts {
  const hosts = new IngressHosts(ingressIp, foreign);
  const names = new IngressNames(kube);
  const told = new Set<string>();
  const onChange = () => {
    for (const host of hosts.set(names.hosts)) {
      if (told.has(host)) continue;
      told.add(host);
      report.warn(
        "INGRESS_HOST_TOO_WIDE",
        `--ingressIp skips the Ingress host "${host}", which covers names outside the cluster. To include it, use --allowNames`,
      );
    }
  };
  scope.background("Ingresses", async (signal) => {
    if (await names.follow({ signal, onChange })) return;
    if (signal.aborted) return;
    report.warn(
      "INGRESSES_UNKNOWN",
      "--ingressIp has no effect: no permission to watch Ingresses",
    );
  });
  return hosts;
}
