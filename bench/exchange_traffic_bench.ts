/** Bytes and requests through exchange, against what else leads to a pod of the same node, or from it. */
import { type CommandResult, run, succeeded } from "../test/cluster/command.ts";
import { obstacleWithout } from "../test/netns/packages.ts";
import type { CpuSeconds } from "./cpu_seconds.ts";
import type { Figure } from "./figures.ts";
import { KubectlForward } from "./kubectl_forward.ts";
import {
  comparePaths,
  KUBECTL,
  measurePaths,
  type Path,
  retried,
} from "./measure_paths.ts";
import { SshWay } from "./ssh_way.ts";
import { SshdPod } from "./sshd_pod.ts";
import { PORT, type Testbed } from "./testbed.ts";
import {
  argsOf,
  BULK_TASKS,
  opposite,
  REQUEST_TASKS,
  type TrafficResult,
  type TrafficTask,
  WRK_TASKS,
} from "./traffic_task.ts";
import { readWrk, wrkCommand } from "./wrk.ts";

export interface ExchangeTraffic {
  readonly figures: readonly Figure[];
  /** CPU seconds of one round, by measurement and program. */
  readonly cpu: Readonly<Record<string, CpuSeconds>>;
  readonly kubectlBrokeOff: number;
  readonly kubectlRetries: number;
  readonly exchangeRetries: number;
}

/** All paths move the same bytes between the same two programs; through kubectl the laptop dials. */
export async function benchExchangeTraffic(
  bed: Testbed,
  { program, rounds }: { program: string; rounds: number },
): Promise<ExchangeTraffic> {
  await using exchange = bed.exchange(program);
  await exchange.ready();
  await using bySsh = bed.exchange(program, "other", ["--link", "ssh"]);
  await bySsh.ready();
  await using sshd = await SshdPod.open(bed).catch((error) => {
    console.error(`ssh -R is left out: ${error.message}`);
    return undefined;
  });
  await using remote = sshd && await openSshRemote(bed, sshd);
  await using kubectl = new KubectlForward({
    kubeconfig: bed.cluster.kubeconfig,
    namespace: bed.namespace.name,
    pod: bed.pod,
    port: PORT,
  });
  const client = await bed.namespace.client();
  const retries = { exchange: 0, kubectl: 0 };
  /** In these the cluster dials. */
  const inbound =
    (host: string, onFailure: () => void | Promise<void>) =>
    (task: TrafficTask) => {
      const args = argsOf(opposite(task), { host, port: PORT });
      const once = task.kind === "wrk"
        ? () => runWrk((words) => client.exec([...words]), task, host, PORT)
        : () => bed.inPod(args);
      return retried(`exchange of ${host}`, once, onFailure);
    };
  const countRetry = () => void retries.exchange++;
  const byKubectl = (task: TrafficTask) =>
    retried(
      KUBECTL,
      async () => {
        const to = { host: "127.0.0.1", port: await kubectl.port() };
        if (task.kind === "wrk") {
          const here = ([program, ...args]: readonly string[]) =>
            run(program!, args);
          return await runWrk(here, task, to.host, to.port);
        }
        return await bed.onLaptop(argsOf(task, to));
      },
      async () => {
        retries.kubectl++;
        await kubectl.restart();
      },
    );
  const ours = "exchange";
  const paths: Path[] = [
    { name: ours, run: inbound("web", countRetry) },
    { name: KUBECTL, run: byKubectl },
    { name: "exchange --link ssh", run: inbound("other", countRetry) },
    ...(sshd === undefined || remote === undefined ? [] : [{
      name: "ssh -R",
      run: inbound(sshd.address, () => remote.restart()),
    }]),
  ];
  const tasks = [...BULK_TASKS, ...REQUEST_TASKS];
  const obstacle = await obstacleWithout({ wrk: "wrk" });
  if (obstacle === undefined) tasks.push(...WRK_TASKS);
  else console.error(`wrk is left out: ${obstacle}`);
  const { measured, cpu } = await measurePaths(tasks, { rounds, paths });
  const peers = paths.map(({ name }) => name).filter((name) => name !== ours);
  return {
    figures: measured.flatMap((one) =>
      peers.flatMap((peer) => comparePaths(one, { ours, peer }))
    ),
    cpu,
    kubectlBrokeOff: kubectl.brokeOff,
    kubectlRetries: retries.kubectl,
    exchangeRetries: retries.exchange,
  };
}

async function runWrk(
  run: (words: readonly string[]) => Promise<CommandResult>,
  { flows, amount }: TrafficTask,
  host: string,
  port: number,
): Promise<TrafficResult> {
  const load = { connections: flows, seconds: Math.ceil(amount) };
  const command = wrkCommand(`http://${host}:${port}/`, load);
  const { requestsPerS, p50Ms, p99Ms } = readWrk(succeeded(await run(command)));
  return { perSecond: requestsPerS, p50: p50Ms, p99: p99Ms };
}

/** OpenSSH's way from the cluster to this machine. */
async function openSshRemote(bed: Testbed, sshd: SshdPod): Promise<SshWay> {
  const request = { ...REQUEST_TASKS[0]!, amount: 1 };
  const way = new SshWay({
    bed,
    sshd,
    command: (port) => [
      ...sshd.ssh,
      ...["-N", "-R", `0.0.0.0:${PORT}:127.0.0.1:${bed.laptopPort}`],
      ...["-o", "ExitOnForwardFailure=yes", "-p", String(port)],
      "root@127.0.0.1",
    ],
    works: () => bed.inPod(argsOf(request, { host: sshd.address, port: PORT })),
  });
  await way.start();
  return way;
}
