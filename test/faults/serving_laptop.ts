import { BadDisk } from "../cluster/bad_disk.ts";
import type { KtctlProcess, KtctlResult } from "../cluster/ktctl_process.ts";
import { Laptop } from "../cluster/laptop.ts";
import { SetClock } from "../cluster/set_clock.ts";
import { TcpProxy } from "../cluster/tcp_proxy.ts";
import {
  CLEAN,
  type FaultLaptop,
  type FaultLaptopOptions,
  SLOW_MS,
} from "./fault_laptop.ts";

/** Room for the journals of some sessions. */
const DISK = "64k";

/** For a command that changes nothing but the cluster. Journals are on a disk of their own. */
export class ServingLaptop implements FaultLaptop {
  readonly network: FaultLaptop["network"];
  readonly disk: BadDisk;
  readonly clock: SetClock | undefined;
  readonly #options: FaultLaptopOptions;
  readonly #laptop: Laptop;
  /** Where somebody else keeps journals. */
  readonly #otherHome: string;
  readonly #proxy: TcpProxy;
  readonly #held: AsyncDisposableStack;

  private constructor(
    options: FaultLaptopOptions,
    parts: {
      laptop: Laptop;
      otherHome: string;
      proxy: TcpProxy;
      disk: BadDisk;
      clock: SetClock | undefined;
      held: AsyncDisposableStack;
    },
  ) {
    this.#options = options;
    this.#laptop = parts.laptop;
    this.#otherHome = parts.otherHome;
    this.#proxy = parts.proxy;
    this.disk = parts.disk;
    this.clock = parts.clock;
    this.#held = parts.held;
    this.network = {
      cut: () => this.#proxy.cut(),
      setSilent: (isSilent) =>
        isSilent ? this.#proxy.goSilent() : this.#proxy.resume(),
      setSlow: (isSlow) => this.#proxy.delay(isSlow ? SLOW_MS : 0),
    };
  }

  static async open(options: FaultLaptopOptions): Promise<ServingLaptop> {
    const { cluster, namespace, hasClock } = options;
    await using stack = new AsyncDisposableStack();
    const laptop = stack.use(await Laptop.open(cluster, namespace));
    const otherHome = await Deno.makeTempDir({ prefix: "ktctl-other-" });
    stack.defer(() => Deno.remove(otherHome, { recursive: true }));
    const proxy = stack.use(await TcpProxy.open(cluster));
    const disk = stack.use(await BadDisk.small(DISK));
    const clock = hasClock ? stack.use(new SetClock()) : undefined;
    const held = stack.move();
    return new ServingLaptop(options, {
      ...{ laptop, otherHome, proxy, disk, clock, held },
    });
  }

  start(): KtctlProcess {
    const args = this.#options.args(this.#laptop.demo.port);
    const within = [...this.disk.within, ...this.clock?.within ?? []];
    return this.#laptop.start(args, { ...this.#place, within });
  }

  startSecond(): KtctlProcess {
    return this.#laptop.start(
      this.#options.args(this.#laptop.demo.port),
      this.#otherPlace,
    );
  }

  /** From this laptop, and once that goes well from another: a dead session's own, or anybody, cleans up. */
  async clean(): Promise<KtctlResult> {
    const own = await this.#laptop.run(CLEAN, {
      ...this.#place,
      within: this.disk.within,
    });
    if (own.code !== 0) return own;
    return await this.#laptop.run(CLEAN, this.#otherPlace);
  }

  async journals(): Promise<string[]> {
    const homes = [this.disk.path, this.#otherHome];
    const lists = homes.map((home) => `ls ${home}/ktctl/sessions 2>&-`);
    const names = await this.disk.run("sh", "-c", `${lists.join(";")}; :`);
    return names.split("\n").filter(Boolean);
  }

  /** Nothing. */
  machine(): Promise<string> {
    return Promise.resolve("");
  }

  helperPid(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#held.disposeAsync();
  }

  /** Its journals are those of the server that this kubeconfig names. */
  get #place() {
    const { kubeconfig } = this.#proxy;
    return { kubeconfig, stateHome: this.disk.path };
  }

  get #otherPlace() {
    return { stateHome: this.#otherHome, user: "other" };
  }
}
