/**
 * Unmarked requests through the router and through nginx doing the same; marked ones, to the laptop; from Enter
 * to `ready`.
 */
import type {
  ClientPod,
  TestCluster,
  TestNamespace,
} from "../test/cluster/cluster.ts";
import { compare, type Figure, judge, spread } from "./figures.ts";
import {
  loadService,
  openMeshTestbed,
  startLocal,
  startMesh,
} from "./mesh_testbed.ts";
import type { WrkLoad } from "./wrk.ts";

export async function benchMesh(
  cluster: TestCluster,
  rounds: number,
): Promise<Figure[]> {
  await using namespace = await openMeshTestbed(cluster);
  const client = await namespace.client();
  const start = await benchStart(cluster, namespace, rounds);
  await using local = await startLocal();
  await using mesh = startMesh(cluster, namespace, "bench", {
    localPort: local.port,
  });
  await mesh.ready();
  const load = await benchLoad(client, rounds);
  const marked = await benchMarked(client, rounds);
  await mesh.stop();
  return [...start, ...load, ...marked];
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
    const loads: Record<Name, WrkLoad>[] = [];
    for (let round = -1; round < rounds; round++) {
      const order = round % 2 === 0 ? names : names.toReversed();
      const load: Partial<Record<Name, WrkLoad>> = {};
      for (const name of order) {
        load[name] = await loadService(client, targets[name], connections);
      }
      if (round >= 0) loads.push(load as Record<Name, WrkLoad>);
    }
    return loads;
  };
  const busy = await measure(32);
  const easy = await measure(2);
  const ratio = (
    loads: Record<Name, WrkLoad>[],
    { name, unit, of, peer, aim }: {
      name: string;
      unit: string;
      of: keyof WrkLoad;
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
    const pairs: [marked: WrkLoad, unmarked: WrkLoad][] = [];
    for (let round = -1; round < rounds; round++) {
      const marked = await loadService(client, "origin", connections, MARK);
      const unmarked = await loadService(client, "origin", connections);
      if (round >= 0) pairs.push([marked, unmarked]);
    }
    const figure = (
      of: keyof WrkLoad,
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
