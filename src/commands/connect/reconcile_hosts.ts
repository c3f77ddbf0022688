import { ServiceNames } from "../../cluster/discovery/service_names.ts";
import { MOST_HOSTS } from "../../helper/operations/hosts_operation.ts";
import { MAX_LINE_BYTES } from "../../helper/protocol.ts";
import type { NameServers } from "../../link/dns/name_servers.ts";
import type { ForeignNames } from "../../net/dns/foreign_names.ts";
import { HostsNames } from "../../net/dns/hosts_names.ts";
import { serviceHosts } from "../../net/dns/service_hosts.ts";
import type { RootHelper } from "../../plugins/plugin.ts";
import type { Session } from "../session/session.ts";
import { startReconciling } from "./start_reconciling.ts";
import { warnOfForeignName } from "./warn_of_foreign_name.ts";

export interface ReconcileHostsOptions {
  readonly session: Session;
  readonly root: RootHelper;
  readonly clusterDomain: string;
  /** Whose Services; none means the session's own. */
  readonly namespaces: readonly string[];
  readonly foreign: ForeignNames;
  /** Who knows what exists outside of the cluster. */
  readonly servers: NameServers;
  /** Tells of others that this machine comes to ask. */
  readonly followServers: (
    onOthers: (servers: NameServers) => void,
  ) => Promise<void>;
}

/** Keeps Services in the hosts file (`--dnsMode hosts`); returns when those of now are there. */
export async function reconcileHosts(
  options: ReconcileHostsOptions,
): Promise<void> {
  const { session, root, clusterDomain, namespaces, foreign, servers } =
    options;
  const { kube, scope, report } = session;
  const names = new ServiceNames(
    kube,
    namespaces.length > 0 ? namespaces : [kube.namespace],
  );
  const hostsNames = new HostsNames({
    foreign,
    servers,
    onForeign: (name, reason) => warnOfForeignName(report, name, reason),
  });
  let written = "";
  let isToldOfMost = false;
  let open: { close(): Promise<void> } | undefined;
  let changed = () => {};
  await startReconciling(scope, {
    name: "hosts file",
    follow: async ({ signal, onChange }) => {
      changed = onChange;
      await names.follow({ signal, onChange }, (namespace) =>
        report.warn(
          "SERVICES_UNKNOWN",
          `Services of namespace "${namespace}" get no names: no permission to watch them`,
        ));
    },
    work: async () => {
      const hosts = serviceHosts(names.services, {
        clusterDomain,
        namespace: kube.namespace,
      });
      const foreign = await hostsNames.foreignOf(
        hosts.flatMap(({ names }) => names),
        scope.signal,
      );
      // a Service called as what the link goes to would lead the link into itself
      const linkHosts = kube.hosts();
      const all = hosts.map(({ address, names }) => ({
        address,
        names: names.filter((name) =>
          !foreign.has(name) && !linkHosts.includes(name)
        ),
      }));
      const entries = fitting(all);
      if (entries.length < all.length && !isToldOfMost) {
        isToldOfMost = true;
        report.warn(
          "HOSTS_TOO_MANY",
          `Only ${entries.length} of ${all.length} addresses get names in the hosts file: use another --dnsMode, or name fewer namespaces`,
        );
      }
      if (JSON.stringify(entries) === written) return hostsNames.againInMs;
      written = JSON.stringify(entries);
      const before = open;
      open = await root.open("resolver.hosts", { entries });
      await before?.close(); // whose lines are replaced already
      return hostsNames.againInMs;
    },
  });
  await options.followServers((servers) => {
    hostsNames.setServers(servers);
    changed();
  });
}

/** Of a line to the helper, what is not entries. */
const REQUEST_BYTES = 1024;

/** As many as the helper takes in one request. Names are ASCII. */
function fitting<T>(entries: readonly T[]): T[] {
  let bytes = REQUEST_BYTES;
  const end = entries.slice(0, MOST_HOSTS).findIndex((one) => {
    bytes += JSON.stringify(one).length + 1;
    return bytes > MAX_LINE_BYTES;
  });
  return entries.slice(0, end === -1 ? MOST_HOSTS : end);
}
