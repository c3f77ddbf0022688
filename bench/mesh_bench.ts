/**
 * Unmarked requests through the router and through nginx doing the same; marked ones, to the laptop; from Enter
 * to `ready`.
 */
import type { TestCluster, TestNamespace } from "../test/cluster/cluster.ts";
import { type ClientPod, succeeded } from "../test/cluster/cluster.ts";
import { KtctlProcess } from "../test/cluster/ktctl_process.ts";
import { compare, type Figure, judge, spread } from "./figures.ts";
import { MAIN, runWords } from "./programs.ts";

/** What one run of wrk measured. */
interface Load {
  readonly requestsPerS: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const SECONDS = 4;

export async function benchMesh(
  cluster: TestCluster,
  rounds: number,
): Promise<Figure[]> {
  await using namespace = await cluster.namespace();
  await namespace.apply(manifests());
  for (const name of ["origin", "proxy"]) {
    const wait = ["rollout", "status", `deployment/${name}`, "--timeout=60s"];
    succeeded(await namespace.kubectl(wait));
  }
  const client = await namespace.client();
  const start = await benchStart(cluster, namespace, rounds);
  await using local = await startLocal();
  await using mesh = startMesh(cluster, namespace, "bench", local.port);
  await mesh.ready();
  const load = await benchLoad(client, rounds);
  const marked = await benchMarked(client, rounds);
  await mesh.stop();
  return [...start, ...load, ...marked];
}

/** The laptop's program, in a process of its own: it answers at once. */
async function startLocal(): Promise<AsyncDisposable & { port: number }> {
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

function startMesh(
  cluster: TestCluster,
  namespace: TestNamespace,
  mark: string,
  localPort = 9,
): KtctlProcess {
  const args = ["--expose", `${localPort}:80`, "--skipPortChecking"];
  return new KtctlProcess(["mesh", "origin", "--versionMark", mark, ...args], {
    kubeconfig: cluster.kubeconfig,
    namespace: namespace.name,
    program: runWords(MAIN),
  });
}

/** The first developer makes the router, the second joins it. */
async function benchStart(
  cluster: TestCluster,
  namespace: TestNamespace,
  rounds: number,
): Promise<Figure[]> {
  const times: { first: number[]; second: number[] } = {
    first: [],
    second: [],
  };
  for (let round = -1; round < rounds; round++) { // the first warms up
    const timed = async (mark: string, into: number[]) => {
      const enter = Date.now();
      const mesh = startMesh(cluster, namespace, mark);
      const ms = Date.parse((await mesh.ready()).time) - enter;
      if (round >= 0) into.push(ms);
      return mesh;
    };
    await using _first = await timed("one", times.first);
    await using second = await timed("two", times.second);
    await second.stop();
  }
  const figure = (name: string, values: number[], atMost: number): Figure => ({
    group: "mesh",
    name,
    unit: "ms",
    ours: spread(values),
    aim: judge(spread(values).median, { atMost }),
  });
  return [
    figure("Enter to ready, first developer", times.first, 4_000),
    figure("Enter to ready, second developer", times.second, 3_000),
  ];
}

/** Each peer right after the other in each round, in alternating order. */
async function benchLoad(
  client: ClientPod,
  rounds: number,
): Promise<Figure[]> {
  const targets = { direct: "direct", router: "origin", nginx: "proxy" };
  type Name = keyof typeof targets;
  const names = Object.keys(targets) as Name[];
  const measure = async (connections: number) => {
    const loads: Record<Name, Load>[] = [];
    for (let round = -1; round < rounds; round++) {
      const order = round % 2 === 0 ? names : names.toReversed();
      const load: Partial<Record<Name, Load>> = {};
      for (const name of order) {
        load[name] = await wrk(client, targets[name], connections);
      }
      if (round >= 0) loads.push(load as Record<Name, Load>);
    }
    return loads;
  };
  const busy = await measure(32);
  const easy = await measure(2);
  const ratio = (
    loads: Record<Name, Load>[],
    { name, unit, of, peer, aim }: {
      name: string;
      unit: string;
      of: keyof Load;
      peer: Name;
      aim?: { atLeast: number };
    },
  ) =>
    compare({
      group: "mesh, unmarked",
      name,
      unit,
      peerName: peer,
      pairs: loads.map((one) => [one.router[of], one[peer][of]] as const),
      ...(aim === undefined ? {} : { aim }),
    });
  const over = spread(
    easy.map(({ router, direct }) => router.p50Ms - direct.p50Ms),
  );
  return [
    ratio(busy, {
      name: "32 connections",
      unit: "req/s",
      of: "requestsPerS",
      peer: "nginx",
      aim: { atLeast: 1.1 },
    }),
    ratio(busy, {
      name: "32 connections, to direct",
      unit: "req/s",
      of: "requestsPerS",
      peer: "direct",
    }),
    ...(["nginx", "direct"] as const).flatMap((peer) =>
      (["p50Ms", "p99Ms"] as const).map((of) =>
        ratio(easy, {
          name: `two connections, ${of.slice(0, 3)}, to ${peer}`,
          unit: "ms",
          of,
          peer,
        })
      )
    ),
    {
      group: "mesh, unmarked",
      name: "two connections, p50 over direct",
      unit: "ms",
      ours: over,
      aim: judge(over.median, { atMost: 0.3 }),
    },
  ];
}

/** Through router, link and laptop; beside the unmarked ones of the same round. */
async function benchMarked(
  client: ClientPod,
  rounds: number,
): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const connections of [32, 2]) {
    const pairs: [marked: Load, unmarked: Load][] = [];
    for (let round = -1; round < rounds; round++) {
      const marked = await wrk(client, "origin", connections, MARK);
      const unmarked = await wrk(client, "origin", connections);
      if (round >= 0) pairs.push([marked, unmarked]);
    }
    const figure = (
      of: keyof Load,
      unit: string,
      aim?: { atLeast: number },
    ) => {
      const ours = spread(pairs.map(([marked]) => marked[of]));
      const { ours: _, ...compared } = compare({
        group: "mesh, marked",
        name: `${connections} connections, ${of}`,
        unit,
        peerName: "unmarked",
        pairs: pairs.map(([a, b]) => [a[of], b[of]] as const),
      });
      figures.push({
        ...compared,
        ours,
        ...(aim === undefined ? {} : { aim: judge(ours.median, aim) }),
      });
    };
    if (connections === 32) {
      figure("requestsPerS", "req/s", { atLeast: 15_000 });
    }
    figure("p50Ms", "ms");
    figure("p99Ms", "ms");
  }
  return figures;
}

const MARK = ["-H", "version: bench"];

async function wrk(
  client: ClientPod,
  service: string,
  connections: number,
  words: readonly string[] = [],
): Promise<Load> {
  const args = ["-t", "1", "-c", String(connections), "-d", `${SECONDS}s`];
  args.push(...words);
  const url = `http://${service}/`;
  const text = succeeded(
    await client.exec(["wrk", ...args, "--latency", url], { timeout: 30_000 }),
  );
  if (/Socket errors|Non-2xx/.test(text)) {
    throw new Error(`requests to ${service} failed:\n${text}`);
  }
  const value = (pattern: RegExp) => pattern.exec(text)?.[1] ?? "NaN";
  return {
    requestsPerS: Number(value(/Requests\/sec:\s+([\d.]+)/)),
    p50Ms: milliseconds(value(/50%\s+([\d.]+m?u?s)/)),
    p99Ms: milliseconds(value(/99%\s+([\d.]+m?u?s)/)),
  };
}

function milliseconds(text: string): number {
  const value = Number.parseFloat(text);
  if (text.endsWith("us")) return value / 1000;
  return text.endsWith("ms") ? value : value * 1000;
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
