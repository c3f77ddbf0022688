// A firewall between the API server and the pods, as around the nodes of some clusters.
import assert from "node:assert/strict";
import { CLUSTER_SCRIPT, openTestCluster, succeeded } from "./cluster.ts";
import { run } from "./command.ts";
import { assertNoTrace, Laptop, reaches } from "./laptop.ts";

const TABLE = "ip ktctl_test_barred";
/** The agent's status port, where nothing of the pod has it. */
const PORT = 2223;

async function nft(text: string): Promise<void> {
  const args = [CLUSTER_SCRIPT, "ns", "nft", ...text.split(" ")];
  succeeded(await run("bash", args));
}

/** Until it is disposed of, for all pods. */
async function barPods(verdict: string): Promise<AsyncDisposable> {
  const chain = "type filter hook output priority 0 ;";
  await nft(`add table ${TABLE}`);
  await nft(`add chain ${TABLE} out { ${chain} }`);
  await nft(`add rule ${TABLE} out tcp dport ${PORT} ${verdict}`);
  return { [Symbol.asyncDispose]: () => nft(`delete table ${TABLE}`) };
}

for (const verdict of ["drop", "reject with tcp reset"]) {
  Deno.test({
    name:
      `where a firewall says "${verdict}" between API server and pods, exchange has its link by port-forward`,
    ignore: !!Deno.env.get("KTCTL_TEST_KUBECONFIG"), // changes the node's firewall
    async fn() {
      const cluster = await openTestCluster();
      await using namespace = await cluster.demo();
      const client = await namespace.client();
      await using laptop = await Laptop.open(cluster, namespace);
      const before = await namespace.snapshot();
      const expose = `${laptop.demo.port}:80`;
      await using _bar = await barPods(verdict);
      await using exchange = laptop.start(
        ["exchange", "web", "--expose", expose, "--debug"],
      );
      const way = exchange.event(({ event, message }) =>
        event === "debug" && /^The link goes /.test(String(message))
      );
      await exchange.ready();
      assert.match((await way)["message"], /by port-forward/);
      await reaches(client);
      assert.equal((await exchange.stop()).code, 0);
      await assertNoTrace({ namespace, laptop, before });
    },
  });
}
