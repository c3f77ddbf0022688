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

/** A hosts file of that Service, kept until the scope ends. */
async function keepHosts(servers: NameServers, kube = new ServiceKube()) {
  const world = { kube: kube.api };
  const scope = Scope.root<World>({
    world,
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
    session: { ...world, scope, report } as unknown as Session,
    root: root as never,
    clusterDomain: "cluster.local",
    namespaces: ["dev"],
    foreign: new ForeignNames(),
    servers,
    followServers: (onOthers) => {
      tell = onOthers;
      return Promise.resolve();
    },
  });
  return {
    written,
    second: second.promise,
    setServers: (servers: NameServers) => tell(servers),
    [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose](),
  };
}

const serversThatSay = (rcode: number) =>
  FakeNameServer.start((query) => [response(query, [], { rcode })]);

Deno.test("a hosts file follows what the name servers say that this machine comes to ask", async () => {
  await using office = await serversThatSay(0);
  await using home = await serversThatSay(3);
  await using hosts = await keepHosts(new NameServers([office.address]));
  const { written } = hosts;
  assert.equal(written.length, 1);
  assert.doesNotMatch(written[0]!, /"api\.dev"/);
  hosts.setServers(new NameServers([home.address]));
  await within(10_000, hosts.second);
  assert.equal(written.length, 2);
  assert.match(written[1]!, /"api\.dev"/);
});

Deno.test("a Service that is called as the API server gets no such line", async () => {
  await using nowhere = await serversThatSay(3);
  const kube = new ServiceKube();
  kube.hosts = () => ["api.dev"];
  await using hosts = await keepHosts(new NameServers([nowhere.address]), kube);
  assert.match(
    hosts.written[0]!,
    /"names":\["api\.dev\.svc\.cluster\.local"\]/,
  );
});
