// What `ktctl exchange` does to a Service, and that it leaves no trace.
import assert from "node:assert/strict";
import {
  type ClientPod,
  openTestCluster,
  succeeded,
  type TestNamespace,
} from "./cluster.ts";
import {
  answerOf,
  assertNoTrace,
  eventually,
  Laptop,
  reaches,
} from "./laptop.ts";

/** An echo that, unlike that of the original pods, says first who answers. */
function namedEcho(): { port: number } & Disposable {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serve = async () => {
    for await (const connection of listener) {
      await connection.write(new TextEncoder().encode("laptop: "));
      connection.readable.pipeTo(connection.writable).catch(() => {});
    }
  };
  serve();
  return {
    port: listener.addr.port,
    [Symbol.dispose]: () => listener.close(),
  };
}

async function echoOf(client: ClientPod): Promise<string> {
  const sent = { stdin: "there and back\n" };
  return succeeded(await client.exec(["nc", "-N", "web", "9000"], sent));
}

function podNames(namespace: TestNamespace): Promise<string[]> {
  return namespace.kubectl(["get", "pods", "-l", "app=web", "-o", "name"])
    .then((result) =>
      succeeded(result).trim().split("\n").map((name) => name.slice(4))
    );
}

const cases = [
  { title: "selector", args: ["svc/web"], signal: "SIGINT" },
  { title: "selector", args: ["web"], signal: "SIGTERM" },
  { title: "selector", args: ["deploy/web"], signal: "SIGHUP" },
  {
    title: "selector with a shadow Deployment",
    args: ["web", "--useShadowDeployment"],
    signal: "SIGTERM",
  },
  {
    title: "scale",
    args: ["deploy/web", "--mode", "scale"],
    signal: "SIGTERM",
  },
  {
    title: "scale to 0 with a shadow Deployment",
    args: [
      ...["deploy/web", "--mode", "scale", "--keepReplicas", "0"],
      "--useShadowDeployment",
    ],
    signal: "SIGHUP",
  },
] as const;

for (const { title, args, signal } of cases) {
  Deno.test(`exchange ${args[0]} (${title}) brings every exposed port to the laptop until ${signal}`, async () => {
    const cluster = await openTestCluster();
    await using namespace = await cluster.demo({
      replicas: title.startsWith("scale") ? 2 : 1,
    });
    const client = await namespace.client();
    await using laptop = await Laptop.open(cluster, namespace);
    const before = await namespace.snapshot();
    using echo = namedEcho();

    await using exchange = laptop.start([
      "exchange",
      ...args,
      "--expose",
      `${laptop.demo.port}:80,${echo.port}:9000`,
    ]);
    await exchange.ready();
    // where none is kept a node may for a moment still send to pods that have just ended
    await eventually("ten requests in a row come here", async () => {
      for (let i = 0; i < 10; i++) {
        if (await answerOf(client) !== "laptop") return false;
      }
      return true;
    });
    assert.equal(await echoOf(client), "laptop: there and back\n");
    assert.equal(laptop.journals().length, 1);

    const result = await exchange.stop(signal);
    assert.equal(result.code, 0, result.stdout + result.stderr);
    await assertNoTrace({ namespace, laptop, before });
    await reaches(client, { name: "web-" });
  });
}

Deno.test("exchange (selector) leaves a port that is not exposed to the original pods", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  const client = await namespace.client();
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  const originals = await podNames(namespace);
  using echo = namedEcho();

  await using exchange = laptop.start([
    "exchange",
    "web",
    "--expose",
    `${echo.port}:9000`,
  ]);
  await exchange.ready();
  await eventually(
    "the exposed port comes here", // the node follows the switch in its own time
    async () => await echoOf(client) === "laptop: there and back\n",
  );
  for (let i = 0; i < 10; i++) {
    assert.ok(originals.includes(await answerOf(client)));
  }

  assert.equal((await exchange.stop()).code, 0);
  await assertNoTrace({ namespace, laptop, before });
});
