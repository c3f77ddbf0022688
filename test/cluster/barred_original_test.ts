// A NetworkPolicy that lets chosen clients alone into a Service's pods, and none of ours. The tests' cluster
// enforces none: the firewall of each pod stands in for what a network does with it.
import assert from "node:assert/strict";
import { openTestCluster, succeeded, type TestNamespace } from "./cluster.ts";
import type { ClientPod } from "./client_pod.ts";
import { run } from "./command.ts";
import type { KtctlEvent } from "./ktctl_process.ts";
import {
  answerOf,
  assertNoTrace,
  eventually,
  Laptop,
  reaches,
} from "./laptop.ts";
import { startLocalDemo } from "./demo/local_demo.ts";
import { pidInPod } from "./pod_process.ts";

const CODE = "ORIGINAL_UNREACHABLE";
const TABLE = "ip ktctl_test_policy";
/** What a network may do with what a policy does not admit. */
const VERDICTS = ["drop", "reject with icmp type admin-prohibited"];
/** As if nothing listened: known where the kubelet has seen that it does, as at the demo's port 80. */
const REFUSING = "reject with icmp type port-unreachable";

const ignore = !!Deno.env.get("KTCTL_TEST_KUBECONFIG"); // enters pods by this machine

async function within(words: readonly string[], text: string): Promise<string> {
  const [program = "", ...args] = [...words, ...text.split(" ")];
  return succeeded(await run(program, args));
}

/** Until it is disposed of, the pods of the demo take connections of the client and the kubelet alone. */
async function admitOnly(
  namespace: TestNamespace,
  { client, verdict }: { client: ClientPod; verdict: string },
): Promise<AsyncDisposable> {
  const [, admitted] = /inet ([\d.]+)/.exec(
    await within(client.network!, "ip -4 -o address show dev eth0"),
  )!;
  const list = ["get", "pods", "-l", "app=web", "-o", "name"];
  const pods = succeeded(await namespace.kubectl(list)).trim().split("\n");
  const networks = await Promise.all(pods.map(async (pod) => [
    "nsenter",
    `--target=${await pidInPod(namespace, pod, "")}`,
    "--net",
    "--",
  ]));
  const end = async () => {
    for (const network of networks) {
      await within(network, `nft delete table ${TABLE}`);
    }
  };
  for (const network of networks) {
    const nft = (text: string) => within(network, `nft ${text}`);
    const [, node] = /via ([\d.]+)/.exec(
      await within(network, "ip -4 route show default"),
    )!;
    await nft(`add table ${TABLE}`);
    await nft(
      `add chain ${TABLE} in { type filter hook input priority 0 ; }`,
    );
    const others = `ip saddr != { ${admitted}, ${node}, 127.0.0.1 }`;
    await nft(`add rule ${TABLE} in ${others} tcp flags syn ${verdict}`);
  }
  return { [Symbol.asyncDispose]: end };
}

function told(events: readonly KtctlEvent[]): KtctlEvent[] {
  return events.filter(({ code }) => code === CODE);
}

for (const verdict of [...VERDICTS, REFUSING]) {
  Deno.test({
    name:
      `where the original pods do not admit the router ("${verdict}"), mesh is refused and nobody's request is lost`,
    ignore,
    async fn() {
      const cluster = await openTestCluster();
      await using namespace = await cluster.demo();
      const client = await namespace.client();
      await using laptop = await Laptop.open(cluster, namespace);
      const before = await namespace.snapshot();
      await using _policy = await admitOnly(namespace, { client, verdict });
      const expose = ["--expose", `${laptop.demo.port}:80`];
      await using mesh = laptop.start(["mesh", "web", ...expose]);
      let isOver = false;
      const ended = mesh.ended().finally(() => isOver = true);
      while (!isOver) assert.match(await answerOf(client), /^web-/);
      const { code, error, stdout, events } = await ended;
      assert.equal(error?.["code"], CODE, stdout);
      assert.equal(code, 3);
      assert.match(
        error!["message"],
        verdict === REFUSING
          ? /^Cannot mesh Service "web": .* port 80,? /
          : /^Cannot mesh Service "web": .* port 80, 9000/,
      );
      assert.match(
        error!["hint"],
        /NetworkPolicy.* router, .* shadow-mesh\b.*--withLabel.*--mode manual/,
      );
      assert.match(error!["details"][0], /^no answer from [\d.]+:8080$/);
      assert.equal(events.some(({ event }) => event === "ready"), false);
      assert.deepEqual(laptop.journals(), []);
      // haproxy holds what looked whether it is there, until it gives up to reach the original
      const ms = await eventually(
        "all is taken back",
        async () => await namespace.snapshot() === before,
      );
      console.log(`all is taken back ${ms} ms after the end`);
    },
  });
}

for (const verdict of VERDICTS) {
  Deno.test({
    name:
      `where they do not admit the Shadow Pod ("${verdict}"), exchange works and says that nobody answers without the laptop`,
    ignore,
    async fn() {
      const cluster = await openTestCluster();
      await using namespace = await cluster.demo();
      const client = await namespace.client();
      await using laptop = await Laptop.open(cluster, namespace);
      const before = await namespace.snapshot();
      const policy = await admitOnly(namespace, { client, verdict });
      await using _policy = policy;
      await using demo = await startLocalDemo();
      const expose = ["--expose", `${demo.port}:80`];
      await using exchange = laptop.start(["exchange", "web", ...expose]);
      const { failOpen } = await exchange.ready();
      assert.equal(failOpen, false);
      await reaches(client);
      const [warning, ...more] = told(exchange.events);
      assert.deepEqual(more, []);
      assert.equal(warning?.event, "warning");
      assert.match(
        warning!["message"],
        /on port 80 nobody answers while this laptop does not; on port 9000, .* until the end\. .*NetworkPolicy.* is shadow-exchange\. .*--withLabel/,
      );
      // it is true
      await demo[Symbol.asyncDispose]();
      assert.equal(await answerOf(client), "none");
      const { code, stdout } = await exchange.stop();
      assert.equal(code, 0, stdout);
      await assertNoTrace({ namespace, laptop, before });
      // until the nodes have followed, the Shadow Pod is asked, which has nobody
      const ms = await reaches(client, { name: "web-", withinMs: 5_000 });
      console.log(`the original answers ${ms} ms after the end`);
    },
  });
}

for (const verb of ["exchange", "mesh"]) {
  Deno.test(`${verb} of pods that admit all says nothing of it, and is not waited for`, async () => {
    const cluster = await openTestCluster();
    await using namespace = await cluster.demo();
    await using laptop = await Laptop.open(cluster, namespace);
    const expose = ["--expose", `${laptop.demo.port}:80`];
    await using session = laptop.start([verb, "web", ...expose]);
    const { failOpen } = await session.ready();
    assert.equal(failOpen, true);
    assert.deepEqual(told(session.events), []);
    const proof = session.events.find(({ event, name, state }) =>
      event === "step" && state === "done" &&
      name === "check the path to the original pods"
    );
    console.log(`${verb}: waited ${proof?.["ms"]} ms for the proof`);
    assert.ok(proof!["ms"] < 3_500, `${proof!["ms"]} ms`); // of 4 s
    assert.equal((await session.stop()).code, 0);
  });
}
