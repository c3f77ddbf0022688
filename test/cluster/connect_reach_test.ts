// From a laptop of its own, all of the cluster is reached, by either transport.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { succeeded } from "./cluster.ts";
import { ConnectLab, obstacle } from "./connect_lab.ts";
import { programPath } from "./deno_pod.ts";
import { INTERNET } from "./net_laptop.ts";

const deno = [Deno.execPath(), "run", "-A", "--quiet"];
/** Of bulk, each way: thirty of the largest windows that a stream has here, and more. */
const BULK_BYTES = 64 * 1024 ** 2;

const STATEFUL = `
apiVersion: v1
kind: Service
metadata: { name: db }
spec: { clusterIP: None, selector: { app: db }, ports: [{ name: http, port: 8080 }] }
---
apiVersion: v1
kind: Service
metadata: { name: outside }
spec: { type: ExternalName, externalName: web.NAMESPACE.svc.cluster.local }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db }
spec:
  serviceName: db
  selector: { matchLabels: { app: db } }
  template:
    metadata: { labels: { app: db } }
    spec:
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 2
      containers:
        - name: db
          image: ktctl-demo:1
          imagePullPolicy: IfNotPresent
          readinessProbe: { httpGet: { path: /, port: 8080 }, periodSeconds: 1 }
`;

for (const mode of ["tun2socks", "sshuttle"]) {
  Deno.test({
    name:
      `connect --mode ${mode} reaches all of the cluster, and leaves nothing`,
    ignore: obstacle !== undefined,
    async fn(t) {
      await using lab = await ConnectLab.open();
      const { laptop, namespace } = lab;
      await namespace.apply(STATEFUL.replace("NAMESPACE", namespace.name));
      const rollout = ["rollout", "status", "statefulset/db", "--timeout=60s"];
      succeeded(await namespace.kubectl(rollout));
      const namespaceBefore = await namespace.snapshot();
      await using connect = await lab.connect("--mode", mode);
      const full = `${namespace.name}.svc.cluster.local`;
      const [service, pod] = await Promise.all([lab.clusterIp(), lab.podIp()]);

      await t.step("a Service and a pod by address and by name", async () => {
        for (
          const host of [
            service,
            `${pod}:8080`,
            "web",
            `web.${namespace.name}`,
            `web.${namespace.name}.svc`,
            `web.${full}`,
            "outside",
          ]
        ) {
          assert.match(
            await lab.curl(`http://${host}/`),
            /^demo pod=web-/,
            host,
          );
        }
      });

      await t.step("a StatefulSet's pod by its name", async () => {
        const url = `http://db-0.db.${full}:8080/`;
        assert.equal(await lab.curl(url), "demo pod=db-0");
        // without a search list in the machine's resolver, two labels are a name of the Internet
        const short = mode === "tun2socks"
          ? "db-0.db"
          : `db-0.db.${namespace.name}`;
        assert.equal(await lab.curl(`http://${short}:8080/`), "demo pod=db-0");
      });

      await t.step("names by UDP and TCP, of every kind", async () => {
        for (const how of ["+notcp", "+tcp"]) {
          assert.equal(await lab.dig(how, `web.${full}`), service);
          assert.equal(
            await lab.dig(how, "www.example.com"),
            INTERNET["www.example.com"],
          );
        }
        assert.match(
          await lab.dig("SRV", `_http._tcp.web.${full}`),
          new RegExp(` 80 web\\.${full}\\.$`),
        );
        assert.equal(await lab.dig("-x", service), `web.${full}.`);
        assert.match(
          await lab.dig(`outside.${full}`),
          new RegExp(`^web\\.${full}\\.`),
        );
        const { stdout } = await laptop.run(["dig", `nobody.${full}`]);
        assert.match(stdout, /status: NXDOMAIN/);
        const { code } = await laptop.run([
          "getent",
          "hosts",
          "nobody.example.com",
        ]);
        assert.equal(code, 2);
      });

      await t.step(
        mode === "tun2socks"
          ? "the cluster's name server itself by UDP, and a ping"
          : "UDP to the cluster is refused at once",
        async () => {
          const nameServer = await lab.field(
            "service -n kube-system kube-dns",
            ".spec.clusterIP",
          );
          const question = [`@${nameServer}`, `web.${full}`];
          if (mode === "tun2socks") {
            assert.equal(await lab.dig(...question), service);
            await laptop.output("ping", "-c1", "-W3", service);
            return;
          }
          const started = performance.now();
          await lab.dig(...question);
          assert.ok(performance.now() - started < 3_000);
          assert.equal(await lab.dig("+tcp", ...question), service);
        },
      );

      await t.step("a closed port is refused or reset, at once", async () => {
        const answer = await lab.curl(`http://${pod}:81/`);
        // 7: not connected; 56: reset on the first read
        assert.equal(answer, `curl ends with ${mode === "tun2socks" ? 7 : 56}`);
      });

      await t.step("gRPC, unary and in streams", async () => {
        const calls = [{ method: "Pod", metadata: {} }, {
          method: "Stream",
          metadata: {},
        }];
        const grpc = await lab.clusterIp("web-grpc");
        const answers = JSON.parse(
          await laptop.output(
            ...deno,
            programPath("grpc_calls.ts"),
            `http://${grpc}:50051`,
            JSON.stringify(calls),
          ),
        );
        for (const { trailers } of answers) {
          assert.equal(trailers["grpc-status"], "0");
        }
      });

      await t.step("500 connections at once, each half-closed", async () => {
        const { good, reason } = JSON.parse(
          await laptop.output(
            ...deno,
            programPath("many_dials.ts"),
            service,
            "9000",
            "500",
          ),
        );
        assert.equal(good, 500, reason);
      });

      await t.step("64 MiB each way, with their checksum right", async () => {
        const letters = "abcdefghijklmnopqrstuvwxyz".repeat(2520);
        const sum = createHash("sha256");
        for (let left = BULK_BYTES; left > 0; left -= letters.length) {
          sum.update(letters.slice(0, left));
        }
        const expected = sum.digest("hex");
        const url = `http://${service}`;
        const down = await laptop.run([
          "sh",
          "-c",
          `curl -sS -m 120 '${url}/bytes?n=${BULK_BYTES}' | tee /dev/fd/3 3>&1 >/dev/null | sha256sum`,
        ], { timeout: 130_000 });
        assert.equal(down.stdout.split(" ")[0], expected, down.stderr);
        const up = await laptop.run([
          "sh",
          "-c",
          `yes abcdefghijklmnopqrstuvwxyz | tr -d '\\n' | head -c ${BULK_BYTES} | curl -sS -m 120 -T - '${url}/sink'`,
        ], { timeout: 130_000 });
        const { count, sha256 } = JSON.parse(up.stdout);
        assert.deepEqual({ count, sha256 }, {
          count: BULK_BYTES,
          sha256: expected,
        });
      });

      const started = performance.now();
      const { code, stdout } = await connect.stop();
      assert.equal(code, 0, stdout);
      const ms = Math.round(performance.now() - started);
      console.log(`all was put back ${ms} ms after Ctrl-C`);
      assert.equal(await laptop.snapshot(), lab.before);
      assert.equal(await namespace.snapshot(), namespaceBefore);
      assert.match(await lab.curl(`http://${service}/`), /^curl ends/);
    },
  });
}
