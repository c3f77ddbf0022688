/** A namespace with an nginx to be meshed, one that does what the router does, and sessions of it. */
import {
  type ClientPod,
  succeeded,
  type TestCluster,
  type TestNamespace,
} from "../test/cluster/cluster.ts";
import { KtctlProcess } from "../test/cluster/ktctl_process.ts";
import { MAIN, runWords } from "./programs.ts";
import { readWrk, wrkCommand, type WrkLoad } from "./wrk.ts";

const LOAD_SECONDS = 4;

/** Services `origin`, which is to be meshed, `direct` to the same pod, and `proxy`, the nginx that forwards. */
export async function openMeshTestbed(
  cluster: TestCluster,
): Promise<TestNamespace> {
  await using stack = new AsyncDisposableStack();
  const namespace = stack.use(await cluster.namespace());
  await namespace.apply(manifests());
  for (const name of ["origin", "proxy"]) {
    const wait = ["rollout", "status", `deployment/${name}`, "--timeout=60s"];
    succeeded(await namespace.kubectl(wait));
  }
  stack.move();
  return namespace;
}

/** The laptop's program, in a process of its own: it answers at once. */
export async function startLocal(): Promise<
  AsyncDisposable & { port: number }
> {
  const program = `Deno.serve({
    hostname: "127.0.0.1", port: 0, onListen: ({ port }) => console.log(port),
  }, () => new Response("ok"))`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", program],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = await lines.read();
  return {
    port: Number(value),
    async [Symbol.asyncDispose]() {
      child.kill();
      await lines.cancel();
      await child.status;
    },
  };
}

/** @param mark Of the header `version` */
export function startMesh(
  cluster: TestCluster,
  namespace: TestNamespace,
  mark: string,
  { localPort = 9, program = MAIN }: { localPort?: number; program?: string } =
    {},
): KtctlProcess {
  const args = ["--expose", `${localPort}:80`, "--skipPortChecking"];
  return new KtctlProcess(["mesh", "origin", "--versionMark", mark, ...args], {
    kubeconfig: cluster.kubeconfig,
    namespace: namespace.name,
    program: runWords(program),
  });
}

/** Requests of the client pod to a Service. */
export async function loadService(
  client: ClientPod,
  service: string,
  connections: number,
  words: readonly string[] = [],
): Promise<WrkLoad> {
  const run = { connections, seconds: LOAD_SECONDS, words };
  const command = wrkCommand(`http://${service}/`, run);
  return readWrk(succeeded(await client.exec(command, { timeout: 30_000 })));
}

const NGINX = `worker_processes auto;
pid /tmp/nginx.pid;
error_log stderr warn;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path /tmp/body;
  proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;
  keepalive_requests 1000000000;
`;

/** Answers at once. */
const ORIGIN = `${NGINX}
  server { listen 8080; location / { return 200 "ok"; } }
}
`;

/** Sends by the same header as the router, and keeps connections to both. */
const PROXY = `${NGINX}
  upstream origin { server direct:80; keepalive 64; keepalive_requests 1000000000; }
  upstream marked { server origin-marked:80; keepalive 64; }
  map $http_version $target { default origin; bench marked; }
  server {
    listen 8080;
    location / {
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_pass http://$target;
    }
  }
}
`;

function manifests(): string {
  const service = (name: string, app: string) => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name },
    spec: {
      selector: { app },
      ports: [{ port: 80, targetPort: 8080, protocol: "TCP" }],
    },
  });
  const workload = (name: string, conf: string) => [
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name },
      data: { "nginx.conf": conf },
    },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name },
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { app: name } },
          spec: {
            automountServiceAccountToken: false,
            terminationGracePeriodSeconds: 0,
            containers: [{
              name,
              image: "localhost/nginx:1",
              imagePullPolicy: "IfNotPresent",
              args: ["-c", "/conf/nginx.conf", "-g", "daemon off;"],
              readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
              volumeMounts: [{ name: "conf", mountPath: "/conf" }],
            }],
            volumes: [{ name: "conf", configMap: { name } }],
          },
        },
      },
    },
  ];
  const items = [
    service("origin", "origin"), // this one is meshed
    service("direct", "origin"),
    service("origin-marked", "origin"),
    service("proxy", "proxy"),
    ...workload("origin", ORIGIN),
    ...workload("proxy", PROXY),
  ];
  return JSON.stringify({ apiVersion: "v1", kind: "List", items });
}
