import { delayPath } from "../../bench/delay_path.ts";
import type { KtctlProcess, KtctlResult } from "../cluster/ktctl_process.ts";
import { apiServerUrl, NetLaptop } from "../cluster/net_laptop.ts";
import { SetClock } from "../cluster/set_clock.ts";
import {
  CLEAN,
  type FaultLaptop,
  type FaultLaptopOptions,
  SLOW_MS,
} from "./fault_laptop.ts";

/** Of the journals of ktctl, and of those of the root helper. */
const STATE_SIZE = "64k";
const RUN_SIZE = "256k";

/** For `connect`, which changes the laptop: network and /etc are its own, and so are its disks. */
export class ConnectingLaptop implements FaultLaptop {
  readonly network: FaultLaptop["network"];
  readonly disk: FaultLaptop["disk"];
  readonly clock: SetClock | undefined;
  readonly #options: FaultLaptopOptions;
  readonly #laptop: NetLaptop;
  #slowPath: AsyncDisposable | undefined;

  private constructor(
    options: FaultLaptopOptions,
    { laptop, apiServer }: { laptop: NetLaptop; apiServer: string },
  ) {
    this.#options = options;
    this.#laptop = laptop;
    this.clock = options.hasClock ? new SetClock() : undefined;
    const state = `${laptop.folder}/state`;
    this.network = {
      // the kernel forgets them, and answers what comes for them with a reset
      cut: async () => void await laptop.output("ss", "-K", "dst", apiServer),
      setSilent: (isSilent) => laptop.cutNetwork(isSilent),
      setSlow: async (isSlow) => {
        await this.#slowPath?.[Symbol.asyncDispose]();
        this.#slowPath = isSlow ? await this.#goSlowly() : undefined;
      },
    };
    this.disk = {
      fill: async () => {
        const fill = (dir: string) => `cat /dev/zero > ${dir}/filler 2>&-`;
        await laptop.run(["sh", "-c", `${fill(state)}; ${fill("/run")}; :`]);
      },
      makeRoom: async () => {
        await laptop.run(["rm", "-f", `${state}/filler`, "/run/filler"]);
      },
    };
  }

  static async open(options: FaultLaptopOptions): Promise<ConnectingLaptop> {
    const laptop = await NetLaptop.open(options.cluster, options.namespace);
    const state = `${laptop.folder}/state`;
    await laptop.output(
      "sh",
      "-euc",
      `mkdir ${state}
mount -t tmpfs -o size=${STATE_SIZE} tmpfs ${state}
mount -o remount,size=${RUN_SIZE} /run`,
    );
    const { hostname: apiServer } = await apiServerUrl(options.cluster);
    return new ConnectingLaptop(options, { laptop, apiServer });
  }

  start(): KtctlProcess {
    const { within = [] } = this.clock ?? {};
    return this.#laptop.ktctl(this.#options.args(0), {}, within);
  }

  startSecond(): KtctlProcess {
    return this.#laptop.ktctl(this.#options.args(0));
  }

  clean(): Promise<KtctlResult> {
    return this.#laptop.ktctl(CLEAN).ended();
  }

  async journals(): Promise<string[]> {
    const list =
      `ls ${this.#laptop.folder}/state/ktctl/sessions /run/ktctl 2>&- || :`;
    const { stdout } = await this.#laptop.run(["sh", "-c", list]);
    return stdout.split("\n").filter((name) => name.endsWith(".jsonl"));
  }

  machine(): Promise<string> {
    return this.#laptop.snapshot();
  }

  helperPid(): Promise<number | undefined> {
    return this.#laptop.helperPid();
  }

  /** Another way, as a VPN's: connections begin anew when it is taken, and when it is left. */
  async #goSlowly(): Promise<AsyncDisposable> {
    await using stack = new AsyncDisposableStack();
    stack.defer(() => this.network.cut());
    stack.use(await delayPath(this.#laptop, 2 * SLOW_MS));
    await this.network.cut();
    return stack.move();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#slowPath?.[Symbol.asyncDispose]();
    this.clock?.[Symbol.dispose]();
    await this.#laptop[Symbol.asyncDispose]();
  }
}
