/** The candidates of connect's traffic: ways from a laptop to the Service `web`, or to its pod. */
import { succeeded } from "../test/cluster/command.ts";
import { NetLaptop } from "../test/cluster/net_laptop.ts";
import { obstacleWithout } from "../test/netns/packages.ts";
import { delayPath } from "./delay_path.ts";
import { KubectlForward } from "./kubectl_forward.ts";
import { KUBECTL, type Path, retried } from "./measure_paths.ts";
import type { SshdPod } from "./sshd_pod.ts";
import { SshWay } from "./ssh_way.ts";
import { PORT, type Testbed } from "./testbed.ts";
import { argsOf, type TrafficTask } from "./traffic_task.ts";

export const MODES = ["tun2socks", "sshuttle"] as const;
/** The name of ktctl's own path; `sshuttle` alone is Debian's. */
export const ktctlPath = (mode: string) => `ktctl, ${mode}`;
const SOCKS_PORT = 1080;
const PROBE: TrafficTask = {
  group: "probe",
  name: "one block",
  kind: "bulk",
  mode: "receive",
  flows: 1,
  amount: 1,
};

export interface ConnectWays extends AsyncDisposable {
  readonly paths: readonly Path[];
}

export interface WaysOptions {
  readonly bed: Testbed;
  /** Without it, the ways over SSH are left out. */
  readonly sshd: SshdPod | undefined;
  /** Of a round trip to the API server, besides what it takes anyway. */
  readonly delayMs: number;
}

/** Makes a way on this laptop that goes with the stack. */
type OpenWay = (
  laptop: NetLaptop,
  stack: AsyncDisposableStack,
) => Promise<Path["run"]>;

/** One that cannot be is left out, with a reason on stderr. */
export async function openConnectWays(
  { bed, sshd, delayMs }: WaysOptions,
): Promise<ConnectWays> {
  const get = ["get", "service", "web", "-o", "jsonpath={.spec.clusterIP}"];
  const host = succeeded(await bed.namespace.kubectl(get));
  // ktctl's two are measured next to kubectl, of which the aims are
  const candidates: [name: string, open: OpenWay][] = [
    [ktctlPath(MODES[0]), ktctlWay(bed, host, MODES[0])],
    [KUBECTL, kubectlWay(bed)],
    [ktctlPath(MODES[1]), ktctlWay(bed, host, MODES[1])],
    ...(sshd === undefined ? [] : [
      ["ssh -D", socksWay(bed, host, sshd)] as [string, OpenWay],
      ["sshuttle", sshuttleWay(bed, host, sshd)] as [string, OpenWay],
    ]),
  ];
  await using stack = new AsyncDisposableStack();
  const paths: Path[] = [];
  for (const [name, open] of candidates) {
    try {
      await using own = new AsyncDisposableStack();
      // of its own, as several capture the same addresses
      const laptop = own.use(await NetLaptop.open(bed.cluster, bed.namespace));
      if (delayMs > 0) own.use(await delayPath(laptop, delayMs));
      paths.push({ name, run: await open(laptop, own) });
      stack.use(own.move());
    } catch (error) {
      console.error(`${name} is left out: ${(error as Error).message}`);
    }
  }
  const held = stack.move();
  return {
    paths,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

function ktctlWay(bed: Testbed, host: string, mode: string): OpenWay {
  return async (laptop, stack) => {
    const connect = stack.use(laptop.ktctl(["connect", "--mode", mode]));
    await connect.ready();
    return (task) => {
      const args = argsOf(task, { host, port: PORT });
      const once = () => bed.onLaptop(args, laptop.enter);
      return retried(ktctlPath(mode), once, () => {});
    };
  };
}

function kubectlWay(bed: Testbed): OpenWay {
  return async (laptop, stack) => {
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
    return (task) =>
      retried(KUBECTL, async () => {
        const to = { host: "127.0.0.1", port: await kubectl.port() };
        return await bed.onLaptop(argsOf(task, to), laptop.enter);
      }, () => kubectl.restart());
  };
}

function socksWay(bed: Testbed, host: string, sshd: SshdPod): OpenWay {
  const args = (task: TrafficTask) =>
    argsOf(task, { host, port: PORT }, SOCKS_PORT);
  const socks = ["-N", "-D", `127.0.0.1:${SOCKS_PORT}`, "root@127.0.0.1"];
  const command = (port: number) => [...sshd.ssh, "-p", `${port}`, ...socks];
  return sshWay(bed, sshd, { name: "ssh -D", args, command });
}

function sshuttleWay(bed: Testbed, host: string, sshd: SshdPod): OpenWay {
  const args = (task: TrafficTask) => argsOf(task, { host, port: PORT });
  const ssh = sshd.ssh.join(" ");
  const command = (port: number) => [
    "sshuttle",
    `--ssh-cmd=${ssh}`,
    `--remote=root@127.0.0.1:${port}`,
    "--disable-ipv6",
    `${host}/32`,
  ];
  const open = sshWay(bed, sshd, { name: "sshuttle", args, command });
  return async (laptop, stack) => {
    const obstacle = await obstacleWithout({ sshuttle: "sshuttle" });
    if (obstacle !== undefined) throw new Error(obstacle);
    return await open(laptop, stack);
  };
}

function sshWay(bed: Testbed, sshd: SshdPod, { name, args, command }: {
  name: string;
  args: (task: TrafficTask) => string[];
  command: (port: number) => string[];
}): OpenWay {
  return async (laptop, stack) => {
    const run = (task: TrafficTask) => bed.onLaptop(args(task), laptop.enter);
    const works = () => run(PROBE);
    const way = stack.use(new SshWay({ bed, laptop, sshd, command, works }));
    await way.start();
    return (task) => retried(name, () => run(task), () => way.restart());
  };
}
