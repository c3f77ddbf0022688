// Numbered requests through an exchange while the way to the laptop goes and comes: which are lost.
import assert from "node:assert/strict";
import type { TestCluster, TestNamespace } from "./cluster.ts";
import { succeeded } from "./cluster.ts";
import {
  denoContainer,
  type DenoPod,
  programPath,
  programsVolume,
} from "./deno_pod.ts";
import { evict } from "./evict.ts";
import { eventually, type Laptop } from "./laptop.ts";
import { firstLine } from "../netns/dns_namespace.ts";
import { shadowPod } from "./pod_process.ts";
import { TcpProxy } from "./tcp_proxy.ts";

const CLIENTS = 50;
/** So many answers show that a side has the traffic. */
const SOME = 50;

/** What numbered_server.ts has. */
interface Arrived {
  readonly numbers: number[];
  /** Connections that ended before their request was whole. */
  readonly cut: number;
}

/** What numbered_requests.ts tells. */
interface Asked {
  readonly answered: Record<string, number[] | undefined>;
  readonly failed: { number: number; why: string }[];
}

/** A Service `numbers` with the one program that answers it; to be called before what is compared. */
export async function applyNumbers(namespace: TestNamespace): Promise<void> {
  const labels = { app: "numbers" };
  const program = ["run", "-A", "/programs/numbered_server.ts"];
  const container = denoContainer([...program, "original", "8080"]);
  const items = [{
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "numbers", labels },
    spec: {
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      containers: [{
        ...container,
        readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
      }],
      volumes: [programsVolume],
    },
  }, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "numbers" },
    spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
  }];
  const list = { apiVersion: "v1", kind: "List", items };
  await namespace.apply(JSON.stringify(list));
}

/** Each fault in turn: none may lose what had not reached the local port. */
export async function loseNoNumber(
  { cluster, namespace, laptop, dialler }: {
    cluster: TestCluster;
    namespace: TestNamespace;
    laptop: Laptop;
    dialler: DenoPod;
  },
): Promise<void> {
  const ready = ["wait", "--for=condition=Ready", "pod/numbers"];
  succeeded(await namespace.kubectl([...ready, "--timeout=60s"]));
  const address = ["get", "pod/numbers", "-o", "jsonpath={.status.podIP}"];
  const ip = succeeded(await namespace.kubectl(address));
  const client = await namespace.client();
  await using local = await startLocal();
  const places = {
    local: async () => await (await fetch(local.url)).text(),
    original: async () => succeeded(await client.curl(`http://${ip}:8080/`)),
  };
  const at = async (place: keyof typeof places): Promise<Arrived> =>
    JSON.parse(await places[place]());
  const comesTo = async (place: keyof typeof places, what: string) => {
    const { numbers: { length } } = await at(place);
    const hasMore = async () =>
      (await at(place)).numbers.length > length + SOME;
    await eventually(`${what}: requests come to the ${place}`, hasMore);
  };

  await using proxy = await TcpProxy.open(cluster);
  await using exchange = laptop.start(
    ["exchange", "numbers", "--expose", `${local.port}:80`],
    { kubeconfig: proxy.kubeconfig },
  );
  await exchange.ready();
  const load = dialler.start("numbered_requests.ts", ["numbers", `${CLIENTS}`]);
  assert.equal(await load.line(), "begun");
  const faults: Record<string, () => Promise<unknown> | void> = {
    // connections end at once, and new ones wait
    "link cut": () => {
      proxy.cut();
      proxy.goSilent();
    },
    "pod deleted": async () => {
      const pod = await shadowPod(namespace);
      succeeded(await namespace.kubectl(["delete", pod, "--wait=false"]));
    },
    "pod evicted": async () =>
      succeeded(await evict(namespace, await shadowPod(namespace))),
    "laptop killed": () => exchange.kill("SIGKILL"),
  };
  for (const [what, happen] of Object.entries(faults)) {
    await comesTo("local", what);
    await happen();
    await comesTo("original", what);
    proxy.resume();
  }
  const { answered, failed }: Asked = JSON.parse(await load.stop());
  judge({ answered, failed }, {
    local: await at("local"),
    original: await at("original"),
  });
  const clean = await laptop.run(["clean", "--thresholdInMinus", "0"], {
    kubeconfig: proxy.kubeconfig,
  });
  assert.equal(clean.code, 0, clean.stdout);
}

function judge(
  { answered, failed }: Asked,
  arrived: { local: Arrived; original: Arrived },
): void {
  const all = [...arrived.local.numbers, ...arrived.original.numbers];
  const some = new Set(all);
  assert.equal(some.size, all.length, "some arrived twice");
  for (const [name, numbers = []] of Object.entries(answered)) {
    const its = new Set(arrived[name as keyof typeof arrived].numbers);
    assert.ok(numbers.every((number) => its.has(number)));
  }
  const told = Object.values(answered).flatMap((numbers) => numbers ?? []);
  const known = new Set([...told, ...failed.map(({ number }) => number)]);
  assert.deepEqual(
    [...some.difference(known)],
    [],
    "arrived, and nobody knows",
  );
  const atLaptop = new Set(arrived.local.numbers);
  const lost = failed.filter(({ number }) => !atLaptop.has(number));
  console.log(
    `${known.size} numbers: ${failed.length} failed, of which ` +
      `${
        failed.length - lost.length
      } were at the local program and ${arrived.local.cut} on the way into it`,
  );
  assert.ok(
    lost.length <= arrived.local.cut,
    `lost, though the laptop did not have them: ${JSON.stringify(lost)}`,
  );
}

async function startLocal() {
  const program = programPath("numbered_server.ts");
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", program, "local", "0"],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const port = Number(await firstLine(child.stdout));
  return {
    port,
    url: `http://127.0.0.1:${port}/`,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await child.status;
    },
  };
}
