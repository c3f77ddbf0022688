/** The packet path of `connect --mode tun2socks` alone: iperf3 in a namespace, against bare loopback. */
import { Scope } from "../src/undo/scope.ts";
import type { Machine } from "../src/helper/operations/operation.ts";
import { openTunOperation } from "../src/helper/operations/tun_operations.ts";
import type { OpenedTun } from "../src/net/tun/opened_tun.ts";
import { NetworkNamespace } from "../test/netns/network_namespace.ts";
import { obstacleWithout } from "../test/netns/packages.ts";
import { MemoryJournal } from "../test/unit/core/memory_journal.ts";
import { compare, type Figure } from "./figures.ts";
import type { TunBenchConfig } from "./tun_client.ts";

const SECONDS = 4;
const PORT = 5201;
const MTU = 1500;
/** Gbit/s each way, of the packets' way with a fast program at its end. */
const AIM_GBIT = 5;
const CLUSTER = "10.96.0.1";

const DIRECTIONS = { up: [], down: ["--reverse"] } as const;
type Direction = keyof typeof DIRECTIONS;

/** Empty, with a reason on stderr, where it cannot be measured. */
export async function benchTun(rounds: number): Promise<Figure[]> {
  const obstacle = await obstacleWithout({ ip: "iproute2", iperf3: "iperf3" });
  if (obstacle !== undefined) {
    console.error(`tun: ${obstacle}`);
    return [];
  }
  await using space = await NetworkNamespace.create();
  const scope = Scope.root<Machine>({
    world: { exec: space.exec, root: "" },
    journal: new MemoryJournal(),
    signal: new AbortController().signal,
  });
  await using _ = scope;
  const args = { session: "bench", uid: 0, mtu: MTU, cidrs: ["10.96.0.0/12"] };
  const opened = await openTunOperation.apply(args, scope, () => {});
  const figures: Figure[] = [];
  for (const what of ["path", "relay"] as const) {
    figures.push(
      ...await benchOne(space, { ...opened, what, port: PORT }, rounds),
    );
  }
  return figures;
}

async function benchOne(
  space: NetworkNamespace,
  config: TunBenchConfig & OpenedTun,
  rounds: number,
): Promise<Figure[]> {
  await using _client = await startClient(space, config);
  const pairs: Record<Direction, [number, number][]> = { up: [], down: [] };
  for (let round = 0; round < rounds; round++) {
    for (const direction of ["up", "down"] as const) {
      pairs[direction].push([
        await iperf(space, CLUSTER, direction),
        await iperf(space, "127.0.0.1", direction),
      ]);
    }
  }
  return (["up", "down"] as const).map((direction) => {
    const figure = compare({
      group: "tun",
      name: config.what === "path"
        ? `packets ${direction}, MTU ${MTU}`
        : `packets and relay ${direction}, MTU ${MTU}`,
      unit: "Gbit/s",
      peerName: "loopback",
      pairs: pairs[direction],
    });
    if (config.what !== "path") return figure;
    const met = figure.ours.median >= AIM_GBIT;
    return { ...figure, aim: { text: `≥ ${AIM_GBIT} Gbit/s`, met } };
  });
}

/** Gbit/s that arrived. */
async function iperf(
  space: NetworkNamespace,
  host: string,
  direction: Direction,
): Promise<number> {
  // one that serves once: a broken run leaves nothing behind
  const server = space.exec("iperf3", ["--server", "--one-off"]);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const output = await space.run(
    "iperf3",
    ...["--client", host, "--time", `${SECONDS}`, "--omit", "1", "--json"],
    ...DIRECTIONS[direction],
  );
  await server;
  return JSON.parse(output).end.sum_received.bits_per_second / 1e9;
}

async function startClient(
  space: NetworkNamespace,
  config: TunBenchConfig,
): Promise<AsyncDisposable> {
  const child = space.spawn("../../bench/tun_client.ts", config);
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  if (value === undefined) throw new Error("the client did not start");
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
      await reader.cancel();
    },
  };
}
