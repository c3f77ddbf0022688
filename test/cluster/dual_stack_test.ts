// Services and pods that have addresses of IPv6, beside those of IPv4 or alone.
import assert from "node:assert/strict";
import {
  openTestCluster,
  succeeded,
  type TestCluster,
  type TestNamespace,
} from "./cluster.ts";
import { ConnectLab, obstacle } from "./connect_lab.ts";
import { assertNoTrace, Laptop, reaches } from "./laptop.ts";
import { run } from "./command.ts";

/** Pods that listen on both families, and Services of one and of two. */
const SERVICES = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: two }
spec:
  selector: { matchLabels: { app: two } }
  template:
    metadata: { labels: { app: two } }
    spec:
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 2
      containers:
        - name: two
          image: ktctl-demo:1
          imagePullPolicy: IfNotPresent
          args: ["--host=::"]
          ports: [{ name: http, containerPort: 8080 }]
          readinessProbe: { httpGet: { path: /, port: http }, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 10 }
---
apiVersion: v1
kind: Service
metadata: { name: six }
spec:
  ipFamilyPolicy: SingleStack
  ipFamilies: [IPv6]
  selector: { app: two }
  ports: [{ name: http, port: 80, targetPort: http }]
---
apiVersion: v1
kind: Service
metadata: { name: heads }
spec:
  clusterIP: None
  ipFamilyPolicy: PreferDualStack
  selector: { app: two }
  ports: [{ name: http, port: 8080 }]
`;

const OF_BOTH = `
apiVersion: v1
kind: Service
metadata: { name: both }
spec:
  ipFamilyPolicy: RequireDualStack
  selector: { app: two }
  ports: [{ name: http, port: 80, targetPort: http }]
`;

const OF_ONE = `
apiVersion: v1
kind: Service
metadata: { name: one }
spec:
  selector: { app: two }
  ports: [{ name: http, port: 80, targetPort: http }]
`;

const ranges = await podRanges();
const ignore = !ranges.some((range) => range.includes(":"));
const isDual = !ignore && ranges.some((range) => range.includes("."));
if (ignore) console.log("skipped: the cluster's pods have no IPv6");

async function podRanges(): Promise<string[]> {
  const cluster = await openTestCluster().catch(() => undefined);
  const path = "jsonpath={.items[0].spec.podCIDRs[*]}";
  const asked = await cluster?.kubectl(["get", "nodes", "-o", path]);
  return asked === undefined ? [] : succeeded(asked).split(" ");
}

async function applyServices(namespace: TestNamespace): Promise<void> {
  await namespace.apply(SERVICES + (isDual ? `---${OF_BOTH}` : ""));
  const rollout = ["rollout", "status", "deployment/two", "--timeout=60s"];
  succeeded(await namespace.kubectl(rollout));
}

/** A Service's addresses, in brackets where a URL needs that. */
async function hosts(
  namespace: TestNamespace,
  service: string,
): Promise<string[]> {
  const path = "jsonpath={.spec.clusterIPs[*]}";
  const get = ["get", `service/${service}`, "-o", path];
  return succeeded(await namespace.kubectl(get)).split(" ").map(inUrl);
}

async function patchPolicy(
  namespace: TestNamespace,
  service: string,
  ipFamilyPolicy: string,
): Promise<void> {
  const patch = JSON.stringify({ spec: { ipFamilyPolicy } });
  const args = ["patch", `service/${service}`, "-p", patch];
  succeeded(await namespace.kubectl(args));
}

function inUrl(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

/** The node's own address leads to the API server too. */
async function kubeconfigOverIpv6({ kubeconfig, kubectl }: TestCluster) {
  const path = "jsonpath={.items[0].status.addresses[*].address}";
  const addresses = succeeded(
    await kubectl(["get", "nodes", "-o", path]),
  ).split(" ");
  const address = addresses.find((one) => one.includes(":"))!;
  const text = await Deno.readTextFile(kubeconfig);
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(
    file,
    text.replace(/https:\/\/.*(?=:\d+")/, `https://${inUrl(address)}`),
  );
  return { path: file, [Symbol.dispose]: () => Deno.removeSync(file) };
}

Deno.test({
  name: "exchange, mesh, preview and forward serve Services of both families",
  ignore,
  async fn(t) {
    const cluster = await openTestCluster();
    await using namespace = await cluster.namespace();
    await applyServices(namespace);
    const client = await namespace.client();
    await using laptop = await Laptop.open(cluster, namespace);
    const both = isDual ? await hosts(namespace, "both") : [];
    assert.equal(both.length, isDual ? 2 : 0);
    const [six = ""] = await hosts(namespace, "six");
    assert.match(six, /^\[fd/);
    for (const host of [...both, six]) {
      await reaches(client, { name: "two-", url: `http://${host}/` });
    }
    const before = await namespace.snapshot();
    const expose = ["--expose", `${laptop.demo.port}:80`];

    for (const [service, addresses] of Object.entries({ both, six: [six] })) {
      if (addresses.length === 0) continue;
      await t.step(`exchange ${service}`, async () => {
        await using exchange = laptop.start(["exchange", service, ...expose]);
        await exchange.ready();
        for (const host of addresses) {
          await reaches(client, { url: `http://${host}/` });
        }
        assert.equal((await exchange.stop()).code, 0);
        for (const host of addresses) {
          await reaches(client, { name: "two-", url: `http://${host}/` });
        }
      });

      await t.step(`mesh ${service}`, async () => {
        const mark = ["--versionMark", "demo"];
        await using mesh = laptop.start(["mesh", service, ...expose, ...mark]);
        await mesh.ready();
        for (const host of addresses) {
          const url = `http://${host}/`;
          await reaches(client, { name: "two-", url });
          const { stdout } = await client.curl("-H", "version: demo", url);
          assert.equal(stdout, "demo pod=laptop\n", url);
        }
        assert.equal((await mesh.stop()).code, 0);
        for (const host of addresses) {
          await reaches(client, { name: "two-", url: `http://${host}/` });
        }
      });
    }

    await t.step("a meshed Service gets a second family", async () => {
      if (!isDual) return;
      await namespace.apply(OF_ONE);
      await using mesh = laptop.start(["mesh", "one", ...expose]);
      await mesh.ready();
      await patchPolicy(namespace, "one", "RequireDualStack");
      for (const host of await hosts(namespace, "one")) {
        await reaches(client, { name: "two-", url: `http://${host}/` });
      }
      assert.equal((await mesh.stop()).code, 0);
      succeeded(await namespace.kubectl(["delete", "service/one"]));
    });

    await t.step(
      "preview, by IPv6 once its Service asks for that",
      async () => {
        await using preview = laptop.start(["preview", "mine", ...expose]);
        await preview.ready();
        await patchPolicy(namespace, "mine", "PreferDualStack");
        const mine = await hosts(namespace, "mine");
        assert.equal(mine.length, ranges.length);
        for (const host of mine) {
          await reaches(client, { url: `http://${host}/` });
        }
        assert.equal((await preview.stop()).code, 0);
      },
    );

    await t.step(
      "forward to a Service of IPv6 and to its address",
      async () => {
        for (const target of [["svc/six", ":80"], [`${six}:80`]]) {
          await using forward = laptop.start(["forward", ...target]);
          const { local } = await forward.ready();
          const url = `http://127.0.0.1:${local}/`;
          const { stdout } = await run("curl", ["-sS", "-m", "5", url]);
          assert.match(stdout, /^demo pod=two-/, target.join(" "));
          assert.equal((await forward.stop()).code, 0);
        }
      },
    );

    await t.step("by the API server's own address of IPv6", async () => {
      using kubeconfig = await kubeconfigOverIpv6(cluster);
      const args = ["forward", "svc/six", ":80"];
      await using forward = laptop.start(args, { kubeconfig: kubeconfig.path });
      const { local } = await forward.ready();
      const url = `http://127.0.0.1:${local}/`;
      const { stdout } = await run("curl", ["-sS", "-m", "5", url]);
      assert.match(stdout, /^demo pod=two-/);
      await using preview = laptop.start(["preview", "mine", ...expose], {
        kubeconfig: kubeconfig.path,
      });
      await preview.ready();
      await reaches(client, { url: "http://mine/" });
      assert.equal((await preview.stop()).code, 0);
      assert.equal((await forward.stop()).code, 0);
    });
    await assertNoTrace({ namespace, laptop, before });
  },
});

/** A redirect takes a route, a device takes addresses. */
const WITHOUT_IPV6 = {
  tun2socks: `cd /proc/sys/net/ipv6/conf
    echo 1 > all/disable_ipv6; echo 1 > default/disable_ipv6`,
  sshuttle: "ip -6 address flush dev lan; ip -6 route flush default",
};

for (const mode of ["tun2socks", "sshuttle"] as const) {
  Deno.test({
    name: `connect --mode ${mode} reaches Services and pods by IPv6`,
    ignore: ignore || obstacle !== undefined,
    async fn(t) {
      await using lab = await ConnectLab.open(applyServices);
      const { namespace, laptop } = lab;
      await using connect = await lab.connect("--mode", mode);
      const pods = await lab.field(
        "pod -l app=two",
        ".items[0].status.podIPs[*].ip",
      );
      const addresses = pods.split(" ");
      assert.equal(addresses.length, ranges.length, pods);
      for (
        const host of [
          ...isDual ? [...await hosts(namespace, "both"), "both"] : [],
          ...await hosts(namespace, "six"),
          ...addresses.map((ip) => `${inUrl(ip)}:8080`),
          "six",
        ]
      ) {
        assert.match(
          await lab.curl(`http://${host}/`),
          /^demo pod=two-/,
          host,
        );
      }
      const full = (name: string) =>
        `${name}.${namespace.name}.svc.cluster.local`;
      const [six = ""] = await hosts(namespace, "six");
      assert.equal(`[${await lab.dig("AAAA", full("six"))}]`, six);
      assert.equal(await lab.dig("A", full("six")), "");
      assert.equal(await lab.dig("-x", six.slice(1, -1)), `${full("six")}.`);
      const v6 = addresses.find((ip) => ip.includes(":"));
      assert.equal(await lab.dig("AAAA", full("heads")), v6);
      if (mode === "tun2socks") {
        await laptop.output("ping", "-6", "-c1", "-W3", six.slice(1, -1));
      }
      assert.equal((await connect.stop()).code, 0);
      assert.equal(await laptop.snapshot(), lab.before);

      await t.step("a laptop without IPv6 is told what it lacks", async () => {
        if (!isDual) return;
        await laptop.output("sh", "-euc", WITHOUT_IPV6[mode]);
        await using connect = await lab.connect("--mode", mode);
        const codes = connect.events
          .filter(({ event }) => event === "warning").map(({ code }) => code);
        assert.deepEqual(codes, ["IPV6_NOT_CAPTURED"]);
        assert.match(await lab.curl("http://both/"), /^demo pod=two-/);
        assert.match(await lab.curl("http://six/"), /^curl ends/);
        assert.equal((await connect.stop()).code, 0);
      });
    },
  });
}
