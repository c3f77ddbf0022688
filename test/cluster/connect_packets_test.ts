// What is not TCP over IPv4, through the device of `connect`.
import assert from "node:assert/strict";
import { succeeded } from "./cluster.ts";
import { ConnectLab, obstacle } from "./connect_lab.ts";
import {
  applyPrograms,
  denoContainer,
  programPath,
  programsVolume,
} from "./deno_pod.ts";

Deno.test({
  name:
    "connect carries datagrams both ways, refuses what nobody takes, and loses IPv6 in no silence",
  ignore: obstacle !== undefined,
  async fn(t) {
    await using lab = await ConnectLab.open();
    const { laptop, namespace } = lab;
    await applyPrograms(namespace);
    await namespace.apply(JSON.stringify({
      apiVersion: "v1",
      kind: "List",
      items: [{
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "echo", labels: { app: "echo" } },
        spec: {
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 0,
          containers: [
            denoContainer(["run", "-A", "/programs/udp_echo.ts", "9001"]),
          ],
          volumes: [programsVolume],
        },
      }, {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "echo" },
        spec: {
          selector: { app: "echo" },
          ports: [{ name: "udp", protocol: "UDP", port: 9001 }],
        },
      }],
    }));
    const ready = [
      "wait",
      "--for=condition=Ready",
      "pod/echo",
      "--timeout=60s",
    ];
    succeeded(await namespace.kubectl(ready));
    // --includeIps: the cluster has no IPv6, and that is what its range shall say
    await using connect = await lab.connect("--includeIps", "fd96::/112");
    const talk = async (host: string) =>
      JSON.parse(
        await laptop.output(
          Deno.execPath(),
          "run",
          "-A",
          "--quiet",
          programPath("udp_talk.ts"),
          host,
          "9001",
          "20",
        ),
      );
    const expected = Array.from(
      { length: 20 },
      (_, number) => `DATAGRAM ${number} ${"X".repeat(number * 50)}`,
    ).sort();

    await t.step("to a Service and to a pod", async () => {
      assert.deepEqual(await talk(await lab.clusterIp("echo")), expected);
      assert.deepEqual(await talk(await lab.podIp("app=echo")), expected);
    });

    await t.step("a ping of what is not there is told so", async () => {
      const { code, stdout } = await laptop.run([
        "ping",
        "-c1",
        "-W3",
        (await lab.podIp()).replace(/\d+$/, "250"),
      ]);
      assert.equal(code, 1);
      assert.match(stdout, /Unreachable/);
    });

    await t.step(
      "IPv6 to a cluster without is unreachable at once",
      async () => {
        const started = performance.now();
        const { code, stderr } = await laptop.run([
          "curl",
          "-sS",
          "-m",
          "9",
          "http://[fd96::1]/",
        ]);
        assert.equal(code, 7, stderr);
        const ping = await laptop.run(["ping", "-6", "-c1", "-W3", "fd96::1"]);
        assert.match(ping.stdout, /Unreachable|unreachable/);
        assert.ok(performance.now() - started < 8_000);
      },
    );
    assert.equal((await connect.stop()).code, 0);
    assert.equal(await laptop.snapshot(), lab.before);
  },
});
