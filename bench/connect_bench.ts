/** `connect`, on a laptop in a namespace of its own, against `kubectl port-forward` to the same pod. */
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { KtctlProcess } from "../test/cluster/ktctl_process.ts";
import { NetLaptop, netLaptopObstacle } from "../test/cluster/net_laptop.ts";
import { succeeded } from "../test/cluster/command.ts";
import { cpuSeconds } from "./cpu_seconds.ts";
import {
  argsOf,
  comparePaths,
  retried,
  type Task,
  TASKS,
} from "./exchange_traffic_bench.ts";
import { type Figure, judge, spread } from "./figures.ts";
import { KubectlForward } from "./kubectl_forward.ts";
import { PORT, type Testbed } from "./testbed.ts";

const MODES = ["tun2socks", "sshuttle"] as const;
const READY_AIM_MS = 3_000;
const REST_SECONDS = 20;
const REST_AIMS = { "MiB resident": 120, "% of a core": 1 } as const;

/** Empty, with a reason on stderr, where it cannot be measured. */
export async function benchConnect(
  bed: Testbed,
  rounds: number,
): Promise<Figure[]> {
  const obstacle = await netLaptopObstacle(bed.cluster);
  if (obstacle !== undefined) {
    console.error(`connect: ${obstacle}`);
    return [];
  }
  await using laptop = await NetLaptop.open(bed.cluster, bed.namespace);
  const figures: Figure[] = [];
  for (const mode of MODES) {
    figures.push(await benchReady(laptop, mode, rounds));
    await using connect = laptop.ktctl(["connect", "--mode", mode]);
    await connect.ready();
    figures.push(...await atRest(connect, mode));
    figures.push(...await benchTraffic(bed, laptop, { mode, rounds }));
  }
  return figures;
}

async function benchReady(
  laptop: NetLaptop,
  mode: string,
  rounds: number,
): Promise<Figure> {
  const values: number[] = [];
  for (let round = -1; round < rounds; round++) { // the first warms up
    const enter = Date.now();
    await using connect = laptop.ktctl(["connect", "--mode", mode]);
    const ready = Date.parse((await connect.ready()).time) - enter;
    if (round >= 0) values.push(ready);
  }
  const ours = spread(values);
  return {
    group: `connect, ${mode}`,
    name: "Enter to ready",
    unit: "ms",
    ours,
    aim: judge(ours.median, { atMost: READY_AIM_MS }),
  };
}

/** Of the client's own process, with nothing going through. */
async function atRest(
  { pid }: KtctlProcess,
  mode: string,
): Promise<Figure[]> {
  const before = (await cpuSeconds())["ktctl"] ?? 0;
  await sleep(REST_SECONDS * 1000);
  const spent = ((await cpuSeconds())["ktctl"] ?? 0) - before;
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const kib = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
  const values = {
    "MiB resident": kib / 1024,
    "% of a core": spent / REST_SECONDS * 100,
  };
  return Object.entries(REST_AIMS).map(([unit, atMost]) => {
    const value = values[unit as keyof typeof values];
    return {
      group: `connect, ${mode}`,
      name: "at rest",
      unit,
      ours: spread([value]),
      aim: judge(value, { atMost }),
    };
  });
}

async function benchTraffic(
  bed: Testbed,
  laptop: NetLaptop,
  { mode, rounds }: { mode: string; rounds: number },
): Promise<Figure[]> {
  const get = ["get", "service", "web", "-o", "jsonpath={.spec.clusterIP}"];
  const service = succeeded(await bed.namespace.kubectl(get));
  await using kubectl = new KubectlForward({
    kubeconfig: bed.cluster.kubeconfig,
    namespace: bed.namespace.name,
    pod: bed.pod,
    port: PORT,
    within: laptop.enter,
  });
  const ours = (task: Task) =>
    bed.onLaptop(argsOf(task, service, PORT), laptop.enter);
  const theirs = (task: Task) =>
    retried(async () => {
      const args = argsOf(task, "127.0.0.1", await kubectl.port());
      return await bed.onLaptop(args, laptop.enter);
    }, () => kubectl.restart());
  const { figures } = await comparePaths(TASKS, {
    rounds,
    ours: { name: `connect --mode ${mode}`, run: ours },
    theirs: { name: "kubectl port-forward", run: theirs },
  });
  return figures.map((figure) => ({
    ...figure,
    group: `connect, ${mode}, ${figure.group}`,
  }));
}
