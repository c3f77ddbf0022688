/**
 * The DNS of a session, run in the namespace of dns_namespace.ts: client and helper in one process,
 * with a link that asks the cluster's name server directly. Ends at the end of its input.
 */
import { NameServers } from "../../src/link/dns/name_servers.ts";
import {
  nameserverAddress,
  parseResolvConf,
} from "../../src/link/dns/parse_resolv_conf.ts";
import { exec } from "../../src/core/exec.ts";
import { FileJournal } from "../../src/undo/journal.ts";
import { Scope } from "../../src/undo/scope.ts";
import type { Machine } from "../../src/helper/operations/operation.ts";
import { port53Operation } from "../../src/helper/operations/port53_operation.ts";
import { resolvConfOperation } from "../../src/helper/operations/resolv_conf_operation.ts";
import { systemdResolvedOperation } from "../../src/helper/operations/systemd_resolved_operation.ts";
import { detectResolver } from "../../src/net/dns/detect_resolver.ts";
import { DnsResolver } from "../../src/net/dns/dns_resolver.ts";
import { DnsServer } from "../../src/net/dns/dns_server.ts";
import { machineSearch } from "../../src/net/dns/machine_search.ts";
import { readResolverFiles } from "../../src/net/dns/read_resolver_files.ts";

const OUR_ADDRESS = "127.0.0.153";
const [journals = "", podResolvConf = ""] = Deno.args;

const pod = parseResolvConf(podResolvConf);
const servers = new NameServers(pod.nameservers.map(nameserverAddress));
const { kind, upstreams } = detectResolver(readResolverFiles(), [OUR_ADDRESS]);
const resolver = new DnsResolver({
  link: {
    resolver: pod,
    resolve: (query, { signal } = {}) =>
      servers.ask(query, { timeoutMs: 4_000, ...(signal && { signal }) }),
  },
  upstreams,
  clusterDomain: "cluster.local",
  cidrs: ["10.96.0.0/12", "10.244.0.0/16"],
  isNamespace: (label) => ["default", "prod", "com"].includes(label),
});
const server = await DnsServer.listen({
  host: "127.0.0.1",
  port: 0,
  answer: (query) => resolver.answer(query),
});
const journal = new FileJournal(journals, {
  type: "session",
  version: 1,
  session: "test",
  pid: Deno.pid,
  command: "connect",
  kubeconfig: null,
  context: "",
  server: "",
  namespace: "",
  startedAt: 0,
});
const scope = Scope.root<Machine>({
  world: { exec, root: "" },
  journal,
  signal: new AbortController().signal,
});
await port53Operation.apply(
  { address: OUR_ADDRESS, targetPort: server.port },
  scope,
  () => {},
);
if (kind === "systemd-resolved") {
  await systemdResolvedOperation.apply(
    {
      device: "kt0",
      nameserver: OUR_ADDRESS,
      search: machineSearch(pod),
      routed: ["svc", "default", "prod", "96.10.in-addr.arpa"],
    },
    scope,
    () => {},
  );
} else {
  await resolvConfOperation.apply(
    { nameserver: OUR_ADDRESS, search: machineSearch(pod) },
    scope,
    () => {},
  );
}
console.log("ready");
for await (const _ of Deno.stdin.readable);
await scope.dispose();
journal.remove();
resolver.close();
await server[Symbol.asyncDispose]();
