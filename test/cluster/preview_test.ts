// What `ktctl preview` makes, and that it takes it all away again.
import assert from "node:assert/strict";
import { openTestCluster, succeeded } from "./cluster.ts";
import { answerOf, assertNoTrace, Laptop, reaches } from "./laptop.ts";

const cases = [
  { signal: "SIGINT", args: [] },
  { signal: "SIGTERM", args: [] },
  { signal: "SIGHUP", args: [] },
  { signal: "SIGINT", args: ["--useShadowDeployment"] },
] as const;

for (const { signal, args } of cases) {
  const title = ["preview", ...args].join(" ");
  Deno.test(`${title} gives the laptop a name in the cluster until ${signal}`, async () => {
    const cluster = await openTestCluster();
    await using namespace = await cluster.namespace();
    const client = await namespace.client();
    await using laptop = await Laptop.open(cluster, namespace);
    const before = await namespace.snapshot();
    await using preview = laptop.start([
      "preview",
      "mine",
      "--expose",
      `${laptop.demo.port}:80,${laptop.demo.tcpPort}:9000`,
      ...args,
    ]);
    await preview.ready();
    await reaches(client, { url: "http://mine/" });
    for (let i = 0; i < 10; i++) {
      assert.equal(await answerOf(client, "http://mine/"), "laptop");
    }
    const echo = await client.exec(["nc", "-N", "mine", "9000"], {
      stdin: "there and back\n",
    });
    assert.equal(succeeded(echo), "there and back\n");
    assert.equal(laptop.journals().length, 1);

    const result = await preview.stop(signal);
    assert.equal(result.code, 0, result.stdout + result.stderr);
    await assertNoTrace({ namespace, laptop, before });
    await reaches(client, { url: "http://mine/", name: "none" });
  });
}

Deno.test("preview refuses the name of a Service that is there", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  await namespace.applyDemo();
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  const { code, error } = await laptop.run([
    "preview",
    "web",
    "--expose",
    `${laptop.demo.port}:80`,
  ]);
  assert.equal(code, 7);
  assert.equal(error?.["code"], "SERVICE_EXISTS");
  await assertNoTrace({ namespace, laptop, before });
});
