// What lost_link_test does not try: the node ends the Shadow Pod by itself, and mode scale.
import assert from "node:assert/strict";
import { openTestCluster, succeeded } from "./cluster.ts";
import { assertNoTrace, Laptop, reaches } from "./laptop.ts";
import { shadowPod } from "./pod_process.ts";
import { TcpProxy } from "./tcp_proxy.ts";

const ours = !Deno.env.get("KTCTL_TEST_KUBECONFIG");

type End = "is deleted" | "is ended by its node, as an evicted one is";
const cases: [mode: string, end: End][] = [
  ["selector", "is ended by its node, as an evicted one is"],
  ["scale", "is ended by its node, as an evicted one is"],
  ["scale --keepReplicas 0", "is ended by its node, as an evicted one is"],
  ["scale --keepReplicas 0", "is deleted"],
];
for (const [mode, end] of cases) {
  Deno.test(`an exchange --mode ${mode} whose Shadow Pod ${end} goes on with a new one`, async () => {
    const cluster = await openTestCluster();
    await using namespace = await cluster.demo({ replicas: 2 });
    const client = await namespace.client();
    await using laptop = await Laptop.open(cluster, namespace);
    const before = await namespace.snapshot();
    const expose = `${laptop.demo.port}:80`;
    const how = ["--mode", ...mode.split(" ")];
    const args = ["exchange", "web", ...how, "--expose", expose];
    await using exchange = laptop.start(args);
    await exchange.ready();
    await reaches(client);

    const pod = await shadowPod(namespace);
    const up = exchange.linkUp();
    const deadline = JSON.stringify({ spec: { activeDeadlineSeconds: 1 } });
    const ending = end === "is deleted"
      ? ["delete", pod, "--wait=false"]
      : ["patch", pod, "--patch", deadline];
    succeeded(await namespace.kubectl(ending));
    await up;
    await reaches(client);
    assert.notEqual(await shadowPod(namespace), pod);

    assert.equal((await exchange.stop()).code, 0);
    await reaches(client, { name: "web-" });
    await assertNoTrace({ namespace, laptop, before });
  });
}

Deno.test({
  name:
    "an exchange --mode scale --keepReplicas 0 comes back by itself when its connections are cut, and the original stays away",
  ignore: !ours, // the API server's certificate must be valid for 127.0.0.1
  async fn() {
    const cluster = await openTestCluster();
    await using namespace = await cluster.demo();
    const client = await namespace.client();
    await using laptop = await Laptop.open(cluster, namespace);
    await using proxy = await TcpProxy.open(cluster);
    const before = await namespace.snapshot();
    const expose = `${laptop.demo.port}:80`;
    await using exchange = laptop.start(
      [
        ...["exchange", "web", "--mode", "scale", "--keepReplicas", "0"],
        ...["--expose", expose],
      ],
      { kubeconfig: proxy.kubeconfig },
    );
    await exchange.ready();
    await reaches(client);
    const pod = await shadowPod(namespace);
    const up = exchange.linkUp();
    proxy.cut();
    await up;
    await reaches(client);
    assert.equal(await shadowPod(namespace), pod);
    const replicas = [
      "get",
      "deployment/web",
      "-o",
      "jsonpath={.spec.replicas}",
    ];
    assert.equal(succeeded(await namespace.kubectl(replicas)), "0");

    assert.equal((await exchange.stop()).code, 0);
    await assertNoTrace({ namespace, laptop, before });
  },
});
