import { ServiceNames } from "../cluster/service_names.ts";
import { serviceHosts } from "../net/dns/service_hosts.ts";
import type { RootRights } from "../plugins/plugin.ts";
import type { Session } from "./session.ts";
import { Settling } from "./settling.ts";

export interface KeepHostsOptions {
  readonly session: Session;
  readonly root: RootRights;
  readonly clusterDomain: string;
  /** Whose Services; none means the session's own. */
  readonly namespaces: readonly string[];
}

/** Keeps Services in the hosts file (`--dnsMode hosts`); returns when those of now are there. */
export async function keepHosts(
  { session, root, clusterDomain, namespaces }: KeepHostsOptions,
): Promise<void> {
  const { kube, scope, report } = session;
  const names = new ServiceNames(
    kube,
    namespaces.length > 0 ? namespaces : [kube.namespace],
  );
  let written = "";
  let open: { close(): Promise<void> } | undefined;
  await Settling.start(scope, {
    name: "hosts file",
    follow: (options) =>
      names.follow(options, (namespace) =>
        report.warn(
          "SERVICES_UNKNOWN",
          `Services of namespace "${namespace}" get no names: they may not be watched`,
        )),
    settle: async () => {
      const entries = serviceHosts(names.services, {
        clusterDomain,
        namespace: kube.namespace,
      }).map(({ address, names }) => ({ address, names: [...names] }));
      if (JSON.stringify(entries) === written) return;
      written = JSON.stringify(entries);
      const before = open;
      open = await root.open("resolver.hosts", { entries });
      await before?.close(); // whose lines are replaced already
    },
  });
}
