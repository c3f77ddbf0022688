/** 1 to 50 developers who mesh one Service, each with a bundle of ktctl, a Shadow Pod and a mark of its own. */
import type { TestCluster } from "../test/cluster/cluster.ts";
import type { KtctlProcess } from "../test/cluster/ktctl_process.ts";
import { spread } from "./figures.ts";
import {
  loadService,
  openMeshTestbed,
  startLocal,
  startMesh,
} from "./mesh_testbed.ts";
import { agentProcesses } from "./pod_processes.ts";
import { processUse } from "./process_use.ts";
import { BUNDLE } from "./programs.ts";

/** After as many have joined, one after the other, everybody's requests are measured. */
const STEPS = [1, 2, 4, 8, 16, 32, 50];
/** At which latency is that of a router with time to spare. */
const CONNECTIONS = 2;

export interface DevelopersRow {
  readonly developers: number;
  /** From Enter to ready of those who joined since the row before, in ms. */
  readonly readyMs: number;
  readonly readyMaxMs: number;
  /** Unmarked requests and those of the developer who joined last, {@link CONNECTIONS} at a time, in ms. */
  readonly p50: number;
  readonly p99: number;
  readonly markedP50: number;
  readonly markedP99: number;
  /** Resident, the median of all clients and of all Shadow Pods' agents. */
  readonly clientMiB: number;
  readonly podMiB: number;
}

/** @param keep Called with all rows so far, after each step */
export async function measureDevelopers(
  cluster: TestCluster,
  keep: (rows: readonly DevelopersRow[]) => Promise<void>,
): Promise<DevelopersRow[]> {
  await using stack = new AsyncDisposableStack();
  const namespace = stack.use(await openMeshTestbed(cluster));
  const client = await namespace.client();
  const local = stack.use(await startLocal());
  const joined: KtctlProcess[] = [];
  const rows: DevelopersRow[] = [];
  for (const developers of STEPS) {
    const readyMs: number[] = [];
    while (joined.length < developers) {
      const mark = `d${joined.length + 1}`;
      const enter = Date.now();
      const mesh = stack.use(
        startMesh(cluster, namespace, mark, {
          localPort: local.port,
          program: BUNDLE,
        }),
      );
      readyMs.push(Date.parse((await mesh.ready()).time) - enter);
      joined.push(mesh);
      console.error(`        ${mark}: ready after ${readyMs.at(-1)} ms`);
    }
    const unmarked = await loadService(client, "origin", CONNECTIONS);
    const header = ["-H", `version: d${developers}`];
    const marked = await loadService(client, "origin", CONNECTIONS, header);
    const median = async (pids: Iterable<number>) =>
      spread(
        (await Promise.all([...pids].map(processUse)))
          .map(({ residentMiB }) => residentMiB),
      ).median;
    const agents = await agentProcesses(namespace);
    rows.push({
      developers,
      readyMs: spread(readyMs).median,
      readyMaxMs: Math.max(...readyMs),
      p50: unmarked.p50Ms,
      p99: unmarked.p99Ms,
      markedP50: marked.p50Ms,
      markedP99: marked.p99Ms,
      clientMiB: await median(joined.map(({ pid }) => pid)),
      podMiB: await median(agents.values()),
    });
    await keep(rows);
  }
  // all at once, as at the end of a day
  await Promise.all(joined.map((mesh) => mesh.stop()));
  return rows;
}
