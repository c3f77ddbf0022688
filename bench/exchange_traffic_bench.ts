/** Bytes and requests through exchange, against `kubectl port-forward` to a pod of the same node. */
import type { CpuSeconds } from "./cpu_seconds.ts";
import type { Figure } from "./figures.ts";
import { KubectlForward } from "./kubectl_forward.ts";
import {
  comparePaths,
  KUBECTL,
  measurePaths,
  retried,
} from "./measure_paths.ts";
import { PORT, type Testbed } from "./testbed.ts";
import {
  argsOf,
  BULK_TASKS,
  REQUEST_TASKS,
  type TrafficTask,
} from "./traffic_task.ts";

export interface ExchangeTraffic {
  readonly figures: readonly Figure[];
  /** CPU seconds of one round, by measurement and program. */
  readonly cpu: Readonly<Record<string, CpuSeconds>>;
  readonly kubectlBrokeOff: number;
  readonly kubectlRetries: number;
  readonly exchangeRetries: number;
}

/** Both paths move the same bytes between the same two programs; only who dials differs. */
export async function benchExchangeTraffic(
  bed: Testbed,
  { program, rounds }: { program: string; rounds: number },
): Promise<ExchangeTraffic> {
  await using exchange = bed.exchange(program);
  await exchange.ready();
  await using kubectl = new KubectlForward({
    kubeconfig: bed.cluster.kubeconfig,
    namespace: bed.namespace.name,
    pod: bed.pod,
    port: PORT,
  });
  const retries = { exchange: 0, kubectl: 0 };
  const ours = (task: TrafficTask) => {
    const args = argsOf(opposite(task), { host: "web", port: PORT });
    return retried(() => bed.inPod(args), () => {
      retries.exchange++;
    });
  };
  const theirs = (task: TrafficTask) =>
    retried(
      async () => {
        const to = { host: "127.0.0.1", port: await kubectl.port() };
        return await bed.onLaptop(argsOf(task, to));
      },
      async () => {
        retries.kubectl++;
        await kubectl.restart();
      },
    );
  const names = { ours: "exchange", peer: KUBECTL };
  const { measured, cpu } = await measurePaths([
    ...BULK_TASKS,
    ...REQUEST_TASKS,
  ], {
    rounds,
    paths: [{ name: names.ours, run: ours }, { name: names.peer, run: theirs }],
  });
  return {
    figures: measured.flatMap((one) => comparePaths(one, names)),
    cpu,
    kubectlBrokeOff: kubectl.brokeOff,
    kubectlRetries: retries.kubectl,
    exchangeRetries: retries.exchange,
  };
}

/** In an exchange the cluster dials, so the other side asks for the same direction. */
function opposite(task: TrafficTask): TrafficTask {
  if (task.kind === "requests") return task;
  return { ...task, mode: task.mode === "send" ? "receive" : "send" };
}
