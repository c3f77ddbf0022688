/** Ways between a laptop of its own and a pod: by exchange, by forward, and by kubectl. */
import { succeeded } from "../test/cluster/command.ts";
import type { KtctlProcess } from "../test/cluster/ktctl_process.ts";
import { NetLaptop } from "../test/cluster/net_laptop.ts";
import { delayPath } from "./delay_path.ts";
import { KubectlForward } from "./kubectl_forward.ts";
import { KUBECTL, type Path, retried } from "./measure_paths.ts";
import { agentProcesses } from "./pod_processes.ts";
import { serveTraffic } from "./serve_traffic.ts";
import { PORT, type Testbed } from "./testbed.ts";
import { argsOf, opposite, type TrafficTask } from "./traffic_task.ts";

export const EXCHANGE = "exchange";
export const EXCHANGE_SSH = "exchange --link ssh";
export const FORWARD = "forward to a pod";
export const FORWARD_ADDRESS = "forward to an address";

export interface LaptopWay extends Path {
  /** The program's process on the laptop. */
  readonly pid: () => number | undefined;
  /** The agent's process, where the way has one. */
  readonly podPid: number | undefined;
}

type OpenedWay = Omit<LaptopWay, "podPid">;

export interface LaptopWays extends AsyncDisposable {
  readonly ways: readonly LaptopWay[];
  readonly laptop: NetLaptop;
}

/**
 * @param delayMs Of a round trip to the API server, besides what it takes anyway
 * @param retries Of what failed
 */
export async function openLaptopWays(
  bed: Testbed,
  { names, delayMs, retries }: {
    names: readonly string[];
    delayMs: number;
    retries?: number;
  },
): Promise<LaptopWays> {
  await using stack = new AsyncDisposableStack();
  const laptop = stack.use(await NetLaptop.open(bed.cluster, bed.namespace));
  if (delayMs > 0) stack.use(await delayPath(laptop, delayMs));
  const served = await serveTraffic(stack, laptop.enter);
  const get = [
    "get",
    "pod",
    bed.pod,
    "--output=jsonpath={.status.podIP}",
  ];
  const podAddress = succeeded(await bed.namespace.kubectl(get));

  const run = async (...words: string[]): Promise<KtctlProcess> => {
    const ktctl = stack.use(laptop.ktctl(words));
    await ktctl.ready();
    return ktctl;
  };
  /** The cluster dials. */
  const exchange = async (
    name: string,
    service: "web" | "other",
    ...words: string[]
  ): Promise<OpenedWay> => {
    const expose = `--expose=${served}:${PORT}`;
    const { pid } = await run("exchange", service, expose, ...words);
    return {
      name,
      pid: () => pid,
      run: (task) => {
        const args = argsOf(opposite(task), { host: service, port: PORT });
        return retried(name, () => bed.inPod(args), () => {}, retries);
      },
    };
  };
  /** The laptop dials. */
  const dial = (task: TrafficTask, port: number) =>
    bed.onLaptop(argsOf(task, { host: "127.0.0.1", port }), laptop.enter);
  const forward = async (
    name: string,
    target: string,
    localPort: number,
    ports: string,
  ): Promise<OpenedWay> => {
    const { pid } = await run("forward", target, ports);
    return {
      name,
      pid: () => pid,
      run: (task) =>
        retried(name, () => dial(task, localPort), () => {}, retries),
    };
  };
  const open: Record<string, () => Promise<OpenedWay>> = {
    [EXCHANGE]: () => exchange(EXCHANGE, "web"),
    [KUBECTL]: async () => {
      const kubectl = stack.use(
        new KubectlForward({
          kubeconfig: bed.cluster.kubeconfig,
          namespace: bed.namespace.name,
          pod: bed.pod,
          port: PORT,
          within: laptop.enter,
        }),
      );
      await kubectl.port();
      return {
        name: KUBECTL,
        pid: () => kubectl.pid,
        run: (task) =>
          retried(
            KUBECTL,
            async () => dial(task, await kubectl.port()),
            () => kubectl.restart(),
            retries,
          ),
      };
    },
    [EXCHANGE_SSH]: () => exchange(EXCHANGE_SSH, "other", "--link", "ssh"),
    [FORWARD]: () => forward(FORWARD, `pod/${bed.pod}`, 9001, `9001:${PORT}`),
    [FORWARD_ADDRESS]: () =>
      forward(FORWARD_ADDRESS, `${podAddress}:${PORT}`, 9002, "9002"),
  };
  const ways: LaptopWay[] = [];
  const known = new Set<number>();
  for (const name of names) {
    const way = await open[name]!();
    const agents = await agentProcesses(bed.namespace);
    const podPid = [...agents.values()].find((pid) => !known.has(pid));
    if (podPid !== undefined) known.add(podPid);
    ways.push({ ...way, podPid });
  }
  const held = stack.move();
  return { ways, laptop, [Symbol.asyncDispose]: () => held.disposeAsync() };
}
