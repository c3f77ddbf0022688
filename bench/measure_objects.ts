/** Sessions in a namespace that has nothing else, and in one with thousands of objects. */
import { connectKube } from "../src/kube/connect_kube.ts";
import type { KubeApi, KubeObject } from "../src/kube/kube_api.ts";
import { PODS, SERVICES } from "../src/kube/resources.ts";
import type { KtctlProcess } from "../test/cluster/ktctl_process.ts";
import { NetLaptop } from "../test/cluster/net_laptop.ts";
import { spread } from "./figures.ts";
import { peakMiB } from "./process_peak.ts";
import { PORT, type Testbed } from "./testbed.ts";

const SERVICE_COUNT = 1_000;
const PODS_EACH = 5;
/** Requests at a time. */
const WORKERS = 8;

/** Medians of the rounds. */
export interface ObjectsRow {
  readonly what: string;
  readonly services: number;
  readonly pods: number;
  readonly ms: number;
  readonly minMs: number;
  readonly maxMs: number;
  /** The most that was resident of the process that was measured, in MiB. */
  readonly clientMiB?: number;
}

interface Timed {
  readonly ms: number;
  readonly clientMiB?: number;
}

export async function measureObjects(
  bed: Testbed,
  rounds: number,
): Promise<ObjectsRow[]> {
  await using laptop = await NetLaptop.open(bed.cluster, bed.namespace);
  const empty = await measureAll(laptop, rounds);
  console.error("        filling the namespace");
  await fill(bed);
  const full = await measureAll(laptop, rounds);
  const rows = (values: ReadonlyMap<string, Timed[]>, services: number) =>
    [...values].map(([what, timed]): ObjectsRow => {
      const { median, min, max } = spread(timed.map(({ ms }) => ms));
      const pods = services * PODS_EACH;
      const memory = timed.flatMap(({ clientMiB = [] }) => clientMiB);
      return {
        ...{ what, services, pods, ms: median, minMs: min, maxMs: max },
        ...(memory.length === 0 ? {} : { clientMiB: spread(memory).median }),
      };
    });
  return [...rows(empty, 0), ...rows(full, SERVICE_COUNT)];
}

async function measureAll(
  laptop: NetLaptop,
  rounds: number,
): Promise<Map<string, Timed[]>> {
  const expose = ["exchange", "web", "--expose", `9:${PORT}`];
  const sessions: Record<string, readonly string[]> = {
    exchange: [...expose, "--skipPortChecking"],
    "connect, tun2socks": ["connect", "--mode", "tun2socks"],
    "connect, sshuttle": ["connect", "--mode", "sshuttle"],
    "forward to a Service": ["forward", "other", `:${PORT}`],
  };
  const runs: Record<string, readonly string[]> = {
    clean: ["clean"],
    recover: ["recover", "other"],
  };
  const seen = new Map<string, Timed[]>();
  const add = (what: string, timed: Timed) =>
    void seen.set(what, [...seen.get(what) ?? [], timed]);
  for (let round = -1; round < rounds; round++) { // the first warms up
    console.error(`        round ${round}`);
    for (const [name, words] of Object.entries(sessions)) {
      const { begin, end } = await timeSession(() => laptop.ktctl(words));
      if (round < 0) continue;
      add(`${name}: Enter to ready`, begin);
      add(`${name}: Ctrl-C to exit`, end);
    }
    for (const [name, words] of Object.entries(runs)) {
      const enter = performance.now();
      const { code, stderr, stdout } = await laptop.ktctl(words).ended();
      const ms = performance.now() - enter;
      if (code !== 0) throw new Error(`${name}: ${code}: ${stderr}${stdout}`);
      if (round >= 0) add(name, { ms });
    }
  }
  return seen;
}

async function timeSession(
  start: () => KtctlProcess,
): Promise<{ begin: Timed; end: Timed }> {
  const enter = Date.now();
  await using ktctl = start();
  const ms = Date.parse((await ktctl.ready()).time) - enter;
  const clientMiB = await peakMiB(ktctl.pid);
  const interrupted = performance.now();
  const { code, stderr, stdout } = await ktctl.stop();
  if (code !== 0) throw new Error(`ended with ${code}: ${stderr}${stdout}`);
  return {
    begin: { ms, clientMiB },
    end: { ms: performance.now() - interrupted },
  };
}

/** Pods that no scheduler looks at, of Services that select them. */
async function fill(bed: Testbed): Promise<void> {
  const { name: namespace } = bed.namespace;
  const { kubeconfig } = bed.cluster;
  await using kube = await connectKube({ kubeconfig, namespace });
  const queue = Array.from({ length: SERVICE_COUNT }, (_, i) => i).values();
  const work = async () => {
    for (const i of queue) await createService(kube, `filler-${i}`);
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
}

async function createService(kube: KubeApi, name: string): Promise<void> {
  const labels = { app: name };
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name },
    spec: { selector: labels, ports: [{ port: 80 }] },
  };
  await kube.create(SERVICES, service as KubeObject);
  for (let i = 0; i < PODS_EACH; i++) {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: `${name}-${i}`, labels },
      spec: {
        schedulerName: "nobody",
        automountServiceAccountToken: false,
        containers: [{ name: "main", image: "localhost/none:1" }],
      },
    };
    await kube.create(PODS, pod as KubeObject);
  }
}
