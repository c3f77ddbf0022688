// A laptop with a network and an /etc of its own: what `connect` changes there, nobody else sees.
// It reaches the API server and nothing else of the cluster.
import { firstLine } from "../netns/dns_namespace.ts";
import { DNSMASQ_FLAGS } from "../netns/dnsmasq_flags.ts";
import { makeEtc } from "../netns/make_etc.ts";
import { obstacleWithout } from "../netns/packages.ts";
import {
  CLUSTER_SCRIPT,
  type TestCluster,
  type TestNamespace,
} from "./cluster.ts";
import {
  type CommandOptions,
  type CommandResult,
  run,
  succeeded,
} from "./command.ts";
import { KtctlProcess } from "./ktctl_process.ts";
import { networkPids, wordsOf } from "./network_pids.ts";

/** The name server of before, and the names of the Internet that it knows. */
export const UPSTREAM = "127.0.0.10";
export const INTERNET = { "www.example.com": "192.0.2.80" } as const;

/** The laptop's own addresses on its way to the Internet. */
export const OWN_IPV4 = "198.51.100.2";
export const OWN_IPV6 = "fd51::2";
const RESOLV_CONF =
  `# written by the test\nsearch corp.example\nnameserver ${UPSTREAM}\noptions timeout:3 attempts:1`;

/** Where the API server is, as laptops know it. */
export async function apiServerUrl({ kubectl }: TestCluster): Promise<URL> {
  const path = "jsonpath={.clusters[0].cluster.server}";
  const view = ["config", "view", "--minify", "-o", path];
  return new URL(succeeded(await kubectl(view)));
}

/** The addresses of a cable's two ends, `at(1)` and `at(2)`, that no other laptop has. */
function cable(isIpv6: boolean) {
  const [a, b] = crypto.getRandomValues(new Uint8Array(2));
  const last = b! & 0xfc;
  return isIpv6
    ? {
      at: (n: number) => `fd00:10:246:${a}::${(last + n).toString(16)}`,
      bits: "126 nodad",
    }
    : { at: (n: number) => `10.246.${a}.${last + n}`, bits: "30" };
}

const DEFAULT_ROUTES = [
  "ip route add default via 198.51.100.1",
  "ip route add default via fd51::1",
];

/** Why such a laptop cannot be made here. */
export async function netLaptopObstacle(
  cluster: TestCluster,
): Promise<string | undefined> {
  if (!cluster.ours) return "needs the cluster of cluster.sh";
  return await obstacleWithout({
    nft: "nftables",
    dig: "bind9-dnsutils",
    dnsmasq: "dnsmasq-base",
    ping: "iputils-ping",
  });
}

export class NetLaptop implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "ktctl-net-laptop-" });
  readonly #cluster: TestCluster;
  readonly #namespace: string;
  readonly #link: string;
  readonly #nameServers: Deno.ChildProcess[] = [];
  #holder: Deno.ChildProcess | undefined;
  /** Its own end of the cable to the cluster's node, and that node's. */
  #api = { own: "", far: "", host: "" };

  private constructor(cluster: TestCluster, namespace: TestNamespace) {
    this.#cluster = cluster;
    this.#namespace = namespace.name;
    const random = crypto.getRandomValues(new Uint8Array(3));
    this.#link = `kl${random.toHex()}`;
  }

  static async open(
    cluster: TestCluster,
    namespace: TestNamespace,
  ): Promise<NetLaptop> {
    const laptop = new NetLaptop(cluster, namespace);
    try {
      await laptop.#makeMachine();
      await laptop.#joinApiServer();
      await laptop.serveNames(UPSTREAM, INTERNET);
      return laptop;
    } catch (error) {
      await laptop[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #makeMachine(): Promise<void> {
    const etc = `${this.folder}/etc`;
    await makeEtc(etc, RESOLV_CONF);
    const inside = [
      `mount --bind ${etc} /etc`,
      "mount -t tmpfs tmpfs /run",
      "ip link set lo up",
      // the way to the Internet, which ends here
      "ip link add lan type veth peer name far",
      "ip link set far addrgenmode none up",
      "ip link set lan addrgenmode none up",
      `ip address add ${OWN_IPV4}/24 dev lan`,
      `ip address add ${OWN_IPV6}/64 dev lan nodad`,
      ...DEFAULT_ROUTES,
      "echo ready",
      "exec cat",
    ].join(" && ");
    this.#holder = new Deno.Command("unshare", {
      args: ["--net", "--mount", "--propagation=private", "sh", "-c", inside],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    await firstLine(this.#holder.stdout);
  }

  /** A cable to the cluster's node, on which the API server's address alone has a route. */
  async #joinApiServer(): Promise<void> {
    const { hostname } = await apiServerUrl(this.#cluster);
    const host = hostname.replace(/^\[|\]$/g, "");
    const { at, bits } = cable(host.includes(":"));
    this.#api = { own: at(2), far: at(1), host };
    const pid = this.#holder!.pid;
    await this.node([
      "sh",
      "-euc",
      `ip link add ${this.#link} type veth peer name api netns ${pid}
       ip address add ${at(1)}/${bits} dev ${this.#link}
       ip link set ${this.#link} up`,
    ]);
    succeeded(
      await this.run([
        "sh",
        "-euc",
        `ip link set api addrgenmode none up
         ip address add ${at(2)}/${bits} dev api
         ip route add ${host} via ${at(1)}`,
      ]),
    );
  }

  /** Starts a name server at an address of the laptop, which knows just these names. */
  async serveNames(
    address: string,
    names: Readonly<Record<string, string>>,
    flags: readonly string[] = [],
  ): Promise<AsyncDisposable> {
    const records = Object.entries(names).map(([name, address]) =>
      `--host-record=${name},${address}`
    );
    const dnsmasq = this.spawn([
      "dnsmasq",
      `--listen-address=${address}`,
      ...DNSMASQ_FLAGS,
      "--address=/#/",
      ...records,
      ...flags,
    ], { stderr: "piped" });
    this.#nameServers.push(dnsmasq);
    await firstLine(dnsmasq.stderr);
    // it goes on to tell, and must not wait for somebody to read
    void dnsmasq.stderr.pipeTo(new WritableStream()).catch(() => {});
    return { [Symbol.asyncDispose]: () => end(dnsmasq) };
  }

  /** The process whose namespaces the laptop's are. */
  get holderPid(): string {
    return `${this.#holder!.pid}`;
  }

  /** Words that run another command here. */
  get enter(): string[] {
    return [
      "nsenter",
      `--target=${this.holderPid}`,
      "--net",
      "--mount",
      `--wd=${Deno.cwd()}`,
    ];
  }

  /** Starts a program on the laptop. */
  spawn(
    command: readonly string[],
    options: Deno.CommandOptions = {},
  ): Deno.ChildProcess {
    const [program, ...args] = [...this.enter, ...command];
    return new Deno.Command(program!, {
      args,
      stdin: "null",
      stdout: "null",
      stderr: "null",
      ...options,
    }).spawn();
  }

  /** Runs a program on the laptop to its end. */
  run(
    command: readonly string[],
    options?: CommandOptions,
  ): Promise<CommandResult> {
    const [program, ...args] = [...this.enter, ...command];
    return run(program!, args, options);
  }

  /** What a program says, which must succeed. */
  async output(...command: string[]): Promise<string> {
    return succeeded(await this.run(command)).trim();
  }

  /** Runs a program on the cluster's node. */
  async node(command: readonly string[]): Promise<string> {
    return succeeded(await run("bash", [CLUSTER_SCRIPT, "ns", ...command]))
      .trim();
  }

  /** As it has them at first. */
  async addDefaultRoutes(): Promise<void> {
    await this.output("sh", "-euc", DEFAULT_ROUTES.join("\n"));
  }

  /** Cuts the cable without a word to anybody, and mends it. */
  async cutNetwork(isCut: boolean): Promise<void> {
    const verb = isCut ? "-I" : "-D";
    await this.node(
      ["iptables", "-w", verb, "INPUT", "-i", this.#link, "-j", "DROP"],
    );
  }

  /**
   * Has all that goes between laptop and API server take another cable, also what is connected already.
   * Its two ends are devices of the node, of which the laptop gets the near one; disposal leads all back.
   */
  async takeCable(near: string, far: string): Promise<AsyncDisposable> {
    const { own, host, far: via } = this.#api;
    await this.node(["ip", "link", "set", near, "netns", this.holderPid]);
    succeeded(
      await this.run([
        "sh",
        "-euc",
        `ip link set ${near} addrgenmode none up
         ip route replace ${host} dev ${near} src ${own}`,
      ]),
    );
    await this.node([
      "sh",
      "-euc",
      `ip link set ${far} addrgenmode none up
       ip route add ${own} dev ${far} src ${host}`,
    ]);
    return {
      [Symbol.asyncDispose]: async () => {
        await this.output("ip", "route", "replace", host, "via", via);
        await this.node(["ip", "route", "delete", own, "dev", far]);
      },
    };
  }

  /** Another Wi-Fi: its address towards the cluster is another one from now on, and the old one is gone. */
  async roam(): Promise<void> {
    const { host } = this.#api;
    const { at, bits } = cable(host.includes(":"));
    this.#api = { own: at(2), far: at(1), host };
    await this.node(
      ["ip", "address", "add", `${at(1)}/${bits}`, "dev", this.#link],
    );
    await this.output(
      "sh",
      "-euc",
      `ip address flush dev api
       ip address add ${at(2)}/${bits} dev api
       ip route add ${host} via ${at(1)}`,
    );
  }

  /**
   * What keeps connections on the way, a NAT or a load balancer, has forgotten those that there are:
   * what belongs to them is dropped from now on, without a word to either side.
   */
  async forgetConnections(): Promise<AsyncDisposable> {
    const listed = await this.output("ss", "-Htn", "dst", this.#api.host);
    const ports = new Set(listed.match(/(?<=:)\d+(?=\s+\S+\s*$)/gm));
    const rules = [...ports].flatMap((port) => [
      `INPUT -i ${this.#link} -p tcp --sport ${port} -j DROP`,
      `OUTPUT -o ${this.#link} -p tcp --dport ${port} -j DROP`,
    ]);
    const change = (verb: string) =>
      this.node([
        "sh",
        "-euc",
        rules.map((rule) => `iptables -w ${verb} ${rule}`).join("\n"),
      ]);
    await change("-I");
    return { [Symbol.asyncDispose]: async () => void await change("-D") };
  }

  /**
   * A VPN that takes all that goes to the cluster, and lets nothing pass that comes from an address of
   * another network; disposal ends it.
   */
  async openVpn(): Promise<AsyncDisposable> {
    const { host, far } = this.#api;
    const { at, bits } = cable(host.includes(":"));
    const link = this.#link.replace("kl", "kv");
    await this.node([
      "sh",
      "-euc",
      `ip link add ${link} type veth peer name vpn netns ${this.#holder!.pid}
       ip address add ${at(1)}/${bits} dev ${link}
       ip link set ${link} up
       iptables -w -I INPUT -i ${link} ! -s ${at(2)} -j DROP`,
    ]);
    await this.output(
      "sh",
      "-euc",
      `ip link set vpn addrgenmode none up
       ip address add ${at(2)}/${bits} dev vpn
       ip route replace ${host} via ${at(1)}`,
    );
    return {
      [Symbol.asyncDispose]: async () => {
        await this.output(
          "sh",
          "-euc",
          `ip link delete vpn
           ip route replace ${host} via ${far}`,
        );
        await this.node(
          ["iptables", "-w", "-D", "INPUT", "-i", link, "!", "-s", at(2)]
            .concat("-j", "DROP"),
        );
      },
    };
  }

  /** Stops all that runs on the laptop, as it falls asleep; disposal wakes it. */
  fallAsleep(): Disposable {
    const pids = networkPids(this.#holder!.pid);
    const send = (signal: Deno.Signal) => {
      for (const pid of pids) {
        try {
          Deno.kill(pid, signal);
        } catch (error) {
          // it has ended meanwhile
          if (!(error instanceof Deno.errors.NotFound)) throw error;
        }
      }
    };
    send("SIGSTOP");
    return { [Symbol.dispose]: () => send("SIGCONT") };
  }

  /** Starts ktctl on the laptop, in the namespace; `within` is a command that runs it. */
  ktctl(
    args: readonly string[],
    env: Record<string, string> = {},
    within: readonly string[] = [],
  ): KtctlProcess {
    return new KtctlProcess(args, {
      kubeconfig: this.#cluster.kubeconfig,
      namespace: this.#namespace,
      within: [...this.enter, ...within],
      env: { XDG_STATE_HOME: `${this.folder}/state`, ...env },
    });
  }

  /** The root helper's process, where one runs. */
  helperPid(): Promise<number | undefined> {
    const isHelper = (pid: number) => {
      const [program = "", ...words] = wordsOf(pid);
      return program.endsWith("deno") && words.includes("__helper");
    };
    const pids = networkPids(this.#holder!.pid);
    return Promise.resolve(pids.find(isHelper));
  }

  /** All that `connect` may change on the laptop, as text to compare. */
  async snapshot(): Promise<string> {
    const commands = [
      "ip -o link show | cut -d: -f2-",
      "ip -o address show | cut -d: -f2- | sed 's/ *valid_lft.*//'",
      "ip -4 route show table all",
      "ip -6 route show table all | grep -v '^multicast'",
      "ip rule; ip -6 rule",
      "nft list ruleset",
      "ls -ln --time-style=+ /etc | grep -v '^total'",
      "cat /etc/resolv.conf; echo; cat /etc/hosts",
      "ls -A /run | grep ktctl",
      "ss -Hltnu | awk '{print $1, $4, $5}' | sort",
    ];
    return await this.output("sh", "-c", commands.join("; echo --; "));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of [...this.#nameServers, this.#holder]) {
      if (child !== undefined) await end(child);
    }
    await this.#holder?.stdin.close().catch(() => {});
    await Deno.remove(this.folder, { recursive: true });
  }
}

async function end(child: Deno.ChildProcess): Promise<void> {
  try {
    child.kill("SIGKILL");
  } catch {
    // ended already
  }
  await child.status;
}
