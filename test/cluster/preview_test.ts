// What `ktctl preview` makes, and that it takes it all away again.
import assert from "node:assert/strict";
import { openTestCluster, succeeded } from "./cluster.ts";
import {
  answerOf,
  assertNoTrace,
  eventually,
  Laptop,
  reaches,
} from "./laptop.ts";

const cases = [
  { signal: "SIGTERM", args: [] },
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
  await using namespace = await cluster.demo();
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

Deno.test("a preview's Service outlives its Shadow Pod, is made again when somebody deletes it, and goes at the end", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  const client = await namespace.client();
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  const expose = ["--expose", `${laptop.demo.port}:80`];
  await using preview = laptop.start(["preview", "mine", ...expose]);
  await preview.ready();
  const get = ["get", "service/mine", "-o", "jsonpath={.metadata.uid}"];
  const made = succeeded(await namespace.kubectl(get));
  const back = preview.next(({ event, state }) =>
    event === "link" && state === "up"
  );
  const pods = [
    "delete",
    "pod",
    "-l",
    "kt-role=shadow-preview",
    "--wait=false",
  ];
  succeeded(await namespace.kubectl(pods));
  await back;
  assert.equal(succeeded(await namespace.kubectl(get)), made);
  await reaches(client, { url: "http://mine/" });
  const again = preview.next(({ code }) => code === "SERVICE_DELETED");
  succeeded(await namespace.kubectl(["delete", "service", "mine"]));
  await again;
  await reaches(client, { url: "http://mine/" });
  assert.equal((await preview.stop()).code, 0);
  await assertNoTrace({ namespace, laptop, before });
});

Deno.test("a preview's Service that a quota keeps from being made again is told of, and made when the quota is gone", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  const client = await namespace.client();
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  const expose = ["--expose", `${laptop.demo.port}:80`];
  await using preview = laptop.start(["preview", "mine", ...expose]);
  await preview.ready();
  const quota = ["none", "--hard=count/services=0"];
  succeeded(await namespace.kubectl(["create", "quota", ...quota]));
  await eventually("the quota counts", async () => {
    const get = ["get", "quota/none", "-o", "jsonpath={.status.used}"];
    return succeeded(await namespace.kubectl(get)) !== "";
  });
  const told = preview.next(({ code }) => code === "QUOTA_EXCEEDED");
  succeeded(await namespace.kubectl(["delete", "service", "mine"]));
  assert.match((await told)["message"], /Service "mine".*quota/);
  const again = preview.next(({ code }) => code === "SERVICE_DELETED");
  succeeded(await namespace.kubectl(["delete", "quota", "none"]));
  await again;
  await reaches(client, { url: "http://mine/" });
  assert.equal((await preview.stop()).code, 0);
  await assertNoTrace({ namespace, laptop, before });
});

Deno.test("preview --external tells of the address that a load balancer gives", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  const expose = ["--expose", `${laptop.demo.port}:80`];
  const args = ["preview", "mine", "--external", ...expose];
  await using preview = laptop.start(args);
  await preview.ready();
  const get = ["get", "service", "mine", "-o", "json"];
  const service = JSON.parse(succeeded(await namespace.kubectl(get)));
  assert.equal(service.spec.type, "LoadBalancer");
  const told = preview.next(({ event }) => event === "notice");
  // what a load balancer's controller writes
  service.status = { loadBalancer: { ingress: [{ ip: "192.0.2.7" }] } };
  const path = `/api/v1/namespaces/${namespace.name}/services/mine/status`;
  succeeded(
    await namespace.kubectl(["replace", "--raw", path, "-f", "-"], {
      stdin: JSON.stringify(service),
    }),
  );
  const { message } = await told;
  assert.equal(message, 'Service "mine" has the external address 192.0.2.7');
  assert.equal((await preview.stop()).code, 0);
  await assertNoTrace({ namespace, laptop, before });
});
