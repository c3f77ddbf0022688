import assert from "node:assert/strict";
import { reconcileHosts } from "../../../../src/commands/connect/reconcile_hosts.ts";
import type { Session } from "../../../../src/commands/session/session.ts";
import { NameServers } from "../../../../src/link/dns/name_servers.ts";
import { Scope } from "../../../../src/undo/scope.ts";
import { within } from "../../../../src/core/within.ts";
import type { Json } from "../../../../src/core/json.ts";
import type {
  Resource,
  WatchEvent,
  WatchOptions,
} from "../../../../src/kube/kube_api.ts";
import type { World } from "../../../../src/kube/world.ts";
import { ForeignNames } from "../../../../src/net/dns/foreign_names.ts";
import { MemoryKube } from "../../../fakes/memory_kube.ts";
import { FakeNameServer } from "../../link/dns/fake_name_server.ts";
import { MemoryJournal } from "../../core/memory_journal.ts";
import { response } from "../../net/dns/packets.ts";
import { own } from "../../cluster/leftovers.ts";

/** One Service, `api` in the namespace `dev`, which is a public domain too. */
class ServiceKube extends MemoryKube {
  async *watch(
    { kind }: Resource,
    { signal }: WatchOptions,
  ): AsyncGenerator<WatchEvent> {
    const object = own("Service", "api", { clusterIP: "10.96.0.7" });
    object.metadata.namespace = "dev";
    if (kind === "Service") yield { type: "ADDED", object };
    yield { type: "SYNCED" };
    if (signal.aborted) return;
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  }
}

Deno.test("a hosts file follows what the name servers say that this machine comes to ask", async () => {
  const rcodes = (rcode: number) =>
    FakeNameServer.start((query) => [response(query, [], { rcode })]);
  await using office = await rcodes(0);
  await using home = await rcodes(3);
  const kube = new ServiceKube().api;
  await using scope = Scope.root<World>({
    world: { kube },
    journal: new MemoryJournal(),
    signal: new AbortController().signal,
  });
  const written: string[] = [];
  const second = Promise.withResolvers<void>();
  const root = {
    open(_operation: string, args: Json) {
      if (written.push(JSON.stringify(args)) === 2) second.resolve();
      return Promise.resolve({ result: null, close: () => Promise.resolve() });
    },
  };
  const report = { warn() {}, debug() {} };
  let tell: (servers: NameServers) => void = () => {};
  await reconcileHosts({
    session: { kube, scope, report } as unknown as Session,
    root: root as never,
    clusterDomain: "cluster.local",
    namespaces: ["dev"],
    foreign: new ForeignNames(),
    servers: new NameServers([office.address]),
    followServers: (onOthers) => {
      tell = onOthers;
      return Promise.resolve();
    },
  });
  assert.equal(written.length, 1);
  assert.doesNotMatch(written[0]!, /"api\.dev"/);
  tell(new NameServers([home.address]));
  await within(10_000, second.promise);
  assert.equal(written.length, 2);
  assert.match(written[1]!, /"api\.dev"/);
});
