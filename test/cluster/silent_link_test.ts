// A proxy between laptop and API server that cuts silent connections, as many in offices do.
import assert from "node:assert/strict";
import { openTestCluster } from "./cluster.ts";
import { applyPrograms, startDenoPod } from "./deno_pod.ts";
import { assertNoTrace, Laptop, reaches } from "./laptop.ts";
import { TcpProxy } from "./tcp_proxy.ts";

const WEBSOCKETS = 500;
const CUT_AFTER_MS = 5_000;
const SILENT_MS = 12_000;

Deno.test({
  name:
    `${WEBSOCKETS} silent WebSockets through an exchange outlive a proxy that cuts what is silent for ${CUT_AFTER_MS} ms`,
  // the API server's certificate must be valid for 127.0.0.1
  ignore: !!Deno.env.get("KTCTL_TEST_KUBECONFIG"),
  async fn() {
    const cluster = await openTestCluster();
    await using namespace = await cluster.demo();
    await applyPrograms(namespace);
    const pod = await startDenoPod(cluster, namespace);
    await using laptop = await Laptop.open(cluster, namespace);
    await using proxy = await TcpProxy.open(cluster, {
      cutSilentMs: CUT_AFTER_MS,
    });
    const before = await namespace.snapshot();
    await using exchange = laptop.start(
      ["exchange", "web", "--expose", `${laptop.demo.port}:80`],
      { kubeconfig: proxy.kubeconfig },
    );
    await exchange.ready();
    await reaches(await namespace.client());

    // the proxy does cut
    using silent = await Deno.connect({
      hostname: "127.0.0.1",
      port: proxy.port,
    });
    const cut = silent.read(new Uint8Array(1)).catch(() => null);
    const words = ["ws://web/", String(WEBSOCKETS), String(SILENT_MS)];
    const output = await pod.run("many_websockets.ts", words, {
      timeout: 60_000,
    });
    assert.deepEqual(JSON.parse(output), { good: WEBSOCKETS });
    assert.equal(await cut, null);
    const losses = exchange.events.filter(({ event, state }) =>
      event === "link" && state === "down"
    );
    assert.deepEqual(losses, []);

    assert.equal((await exchange.stop()).code, 0);
    await assertNoTrace({ namespace, laptop, before });
  },
});
