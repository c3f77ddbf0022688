// That the test cluster is what the other tests take it for.
import assert from "node:assert/strict";
import { openTestCluster, succeeded, type TestNamespace } from "./cluster.ts";
import { startLocalDemo } from "./demo/local_demo.ts";
import { eventually, untouched } from "./laptop.ts";

const podName = (text: string) => /pod=(\S+)/.exec(text)?.[1];

Deno.test("the demo's Service answers inside the cluster, each pod under its name", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo({ replicas: 2 });
  const client = await namespace.client();

  const listed = await namespace.kubectl([
    "get",
    "pods",
    "-l",
    "app=web",
    "-o",
    "name",
  ]);
  const pods = new Set(
    succeeded(listed).trim().split("\n").map((name) => name.slice(4)),
  );
  assert.equal(pods.size, 2);
  const answered = new Set<string | undefined>();
  // a node that is busy comes to know of the second one later
  await eventually("both have answered", async () => {
    answered.add(podName(succeeded(await client.curl("http://web/"))));
    return answered.size === 2;
  });
  assert.deepEqual(answered, pods);

  const http2 = await client.curl(
    "--http2-prior-knowledge",
    "-w",
    "%{http_version}",
    "http://web/",
  );
  assert.match(succeeded(http2), /^demo pod=web-\S+\n2$/);
  const http10 = await client.curl("--http1.0", "http://web/");
  assert.match(succeeded(http10), /^demo pod=web-/);
  const echo = await client.exec(["nc", "-N", "web", "9000"], {
    stdin: "back\n",
  });
  assert.equal(succeeded(echo), "back\n");
  const call =
    "printf '\\0\\0\\0\\0\\3abc' | curl -sS -m 5 --http2-prior-knowledge --data-binary @- " +
    "-H 'content-type: application/grpc' -H 'te: trailers' -D /dev/stdout http://web-grpc:50051/Demo/Echo";
  const grpc = succeeded(await client.exec(["sh", "-c", call]));
  assert.match(grpc, /abc/);
  assert.match(grpc, /grpc-status: 0/);
});

Deno.test("a pod under the restricted security profile runs each image", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  const [deno, haproxy, status] = await Promise.all([
    outputOf(namespace, "deno", `denoland/deno:${Deno.version.deno}`, [
      "deno",
      "--version",
    ]),
    outputOf(namespace, "haproxy", "haproxy:2.6", ["haproxy", "-v"]),
    outputOf(namespace, "busybox", "localhost/busybox:1", [
      "sh",
      "-c",
      "exec 2>&1; id -u; touch /x; cat /proc/self/status", // one stream, for its order
    ]),
  ]);
  assert.match(
    deno,
    new RegExp(`^deno ${Deno.version.deno.replaceAll(".", "\\.")} `),
  );
  assert.match(haproxy, /^HAProxy version 2\.6\./);
  assert.match(status, /^1000\n/);
  assert.match(status, /Read-only file system/);
  assert.match(status, /CapBnd:\s+0+\n/);
  assert.match(status, /NoNewPrivs:\s+1\n/);
  assert.match(status, /Seccomp:\s+2\n/);
});

Deno.test("this machine stands outside: it reaches neither Service nor pod", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  const service = await namespace.kubectl([
    "get",
    "service/web",
    "-o",
    "jsonpath={.spec.clusterIP}",
  ]);
  const pods = await namespace.kubectl([
    "get",
    "pods",
    "-l",
    "app=web",
    "-o",
    "jsonpath={.items[*].status.podIP}",
  ]);
  for (const [host, port] of [[service, 80], [pods, 8080]] as const) {
    const hostname = succeeded(host).split(" ")[0] ?? "";
    assert.match(hostname, /^10\./);
    const reached = Deno.connect({
      hostname,
      port,
      signal: AbortSignal.timeout(2000),
    });
    await assert.rejects(reached.then((connection) => connection.close()));
  }
});

Deno.test("a namespace's snapshot tells changes from the cluster's own doings", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo({ replicas: 2 });
  const before = await namespace.snapshot();
  assert.match(before, /"kind": "Deployment"/);

  succeeded(
    await namespace.kubectl([
      "delete",
      "pods",
      "-l",
      "app=web",
      "--force",
      "--grace-period=0",
    ]),
  );
  succeeded(
    await namespace.kubectl([
      "rollout",
      "status",
      "deployment/web",
      "--timeout=60s",
    ]),
  );
  await untouched(namespace, before);

  succeeded(
    await namespace.kubectl(["scale", "deployment/web", "--replicas=1"]),
  );
  assert.notEqual(await namespace.snapshot(), before);
  succeeded(
    await namespace.kubectl(["scale", "deployment/web", "--replicas=2"]),
  );
  await untouched(namespace, before);

  succeeded(await namespace.kubectl(["create", "configmap", "left-behind"]));
  assert.notEqual(await namespace.snapshot(), before);
});

Deno.test("the demo runs on this machine under a name of its own", async () => {
  await using demo = await startLocalDemo({ name: "laptop" });
  const response = await fetch(`http://127.0.0.1:${demo.port}/`);
  assert.equal(response.headers.get("x-pod"), "laptop");
  assert.equal(await response.text(), "demo pod=laptop\n");
});

/** Runs a command in a pod as restricted as Kubernetes can ask for; its output. */
async function outputOf(
  namespace: TestNamespace,
  name: string,
  image: string,
  command: string[],
): Promise<string> {
  const securityContext = {
    runAsNonRoot: true,
    runAsUser: 1000,
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
    seccompProfile: { type: "RuntimeDefault" },
  };
  const containers = [{
    name,
    image,
    imagePullPolicy: "IfNotPresent",
    command,
    securityContext,
    terminationMessagePolicy: "FallbackToLogsOnError",
  }];
  await namespace.apply(JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: {
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      containers,
    },
  }));
  for (let i = 0; i < 150; i++) {
    const phase = await namespace.kubectl([
      "get",
      `pod/${name}`,
      "-o",
      "jsonpath={.status.phase}",
    ]);
    if (/Succeeded|Failed/.test(succeeded(phase))) break;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return succeeded(await namespace.kubectl(["logs", name]));
}
