// A laptop in a network namespace whose cluster is behind a TUN device.
import { bundleForTun } from "./tun_bundle.ts";
import { Scope } from "../../src/undo/scope.ts";
import type { Machine } from "../../src/helper/operations/operation.ts";
import { openTunOperation } from "../../src/helper/operations/tun_operations.ts";
import type { OpenedTun } from "../../src/net/tun/opened_tun.ts";
import type { OpenTunArgs } from "../../src/net/tun/tun_args.ts";
import { MemoryJournal } from "../unit/core/memory_journal.ts";
import { TextLineStream } from "../cluster/text_line_stream.ts";
import { NetworkNamespace } from "./network_namespace.ts";
import type { TunClientConfig } from "./tun_client.ts";

/** Somebody without rights. */
export const UID = 1000;

export interface TunCounters {
  readonly connections: number;
  readonly datagramFlows: number;
  readonly events: readonly string[];
  /** Who was told to be refused. */
  readonly strangers: readonly string[];
}

export class TunLab implements AsyncDisposable {
  readonly space: NetworkNamespace;
  readonly journal = new MemoryJournal();
  readonly scope: Scope<Machine>;

  private constructor(space: NetworkNamespace) {
    this.space = space;
    this.scope = Scope.root<Machine>({
      world: this.machine,
      journal: this.journal,
      signal: new AbortController().signal,
    });
  }

  static async create(): Promise<TunLab> {
    return new TunLab(await NetworkNamespace.create());
  }

  get machine(): Machine {
    return { exec: this.space.exec, root: "" };
  }

  /** What the helper does. */
  open(more: Partial<OpenTunArgs> = {}): Promise<OpenedTun> {
    const args = {
      session: "lab",
      uid: UID,
      mtu: 1500,
      cidrs: ["10.96.0.0/12", "fd96::/112"],
      ...more,
    };
    return openTunOperation.apply(args, this.scope, () => {});
  }

  /** What the client does, as an ordinary user and from a bundle. */
  async client(config: TunClientConfig): Promise<TunClient> {
    const folder = await bundleForTun();
    // the Deno of whoever runs the tests can be run all the same, and /dev/net/tun be opened where
    // it is root's alone; but the network cannot be changed
    const rights = "+dac_override,+dac_read_search";
    return await this.#client(UID, folder, [
      ...["setpriv", `--reuid=${UID}`, `--regid=${UID}`, "--clear-groups"],
      ...[`--inh-caps=-all,${rights}`, `--ambient-caps=-all,${rights}`],
      ...[Deno.execPath(), "run", "-A", "--no-config", "--no-lock"],
      `${folder}/client.js`,
      JSON.stringify({ worker: `${folder}/worker.js`, ...config }),
    ]);
  }

  async rootClient(config: TunClientConfig): Promise<TunClient> {
    const script = new URL("tun_client.ts", import.meta.url).pathname;
    const run = [Deno.execPath(), "run", "-A", script, JSON.stringify(config)];
    return await this.#client(0, undefined, run);
  }

  async #client(
    uid: number,
    folder: string | undefined,
    command: readonly string[],
  ): Promise<TunClient> {
    const client = new TunClient(this.space, command, folder);
    try {
      const line = await client.line();
      if (!line.startsWith("{")) throw new Error(line);
      const found = JSON.parse(line);
      // CAP_NET_ADMIN is bit 12
      const mayAdmin = (BigInt(`0x${found.caps}`) >> 12n) & 1n;
      if (found.uid !== uid || (uid !== 0 && mayAdmin)) {
        throw new Error(`it has rights: ${line}`);
      }
      return client;
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What a later helper does with a dead one's journal: nothing but its JSON is left. */
  async sweep(): Promise<void> {
    const [step] = openTunOperation.steps;
    for (const record of JSON.parse(JSON.stringify(this.journal.records))) {
      if (record.type !== "intent") continue;
      const signal = AbortSignal.timeout(10_000);
      await step!.revert(record.args, this.machine, signal);
    }
  }

  /** An application: see tun_app.ts. */
  app(...args: (string | number)[]): Promise<string> {
    return this.appIn(this.space, ...args);
  }

  /** The same on another machine. */
  async appIn(
    space: NetworkNamespace,
    ...args: (string | number)[]
  ): Promise<string> {
    const script = new URL("tun_app.ts", import.meta.url).pathname;
    const { stdout, stderr } = await space.exec(
      Deno.execPath(),
      ["run", "-A", script, ...args.map(String)],
      { timeoutMs: 60_000 },
    );
    return stdout.trim() || stderr;
  }

  /** Everything that the helper could have changed. */
  async network(): Promise<string> {
    const lists = await Promise.all(
      ["addr", "route", "-6 route", "rule", "-6 rule", "-d link"].map((what) =>
        this.space.run("ip", ...what.split(" "))
      ),
    );
    const text = lists.join("\n");
    // the kernel looks for doubles of an address for a while
    return text.includes("tentative") ? await this.network() : text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.scope.dispose();
    await this.space[Symbol.asyncDispose]();
  }
}

export class TunClient implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;

  constructor(
    space: NetworkNamespace,
    command: readonly string[],
    folder: string | undefined,
  ) {
    this.#child = new Deno.Command("ip", {
      args: ["netns", "exec", space.name, ...command],
      ...(folder && { env: { DENO_DIR: `${folder}/cache` } }),
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
    this.#input = this.#child.stdin.getWriter();
  }

  get pid(): number {
    return this.#child.pid;
  }

  async line(): Promise<string> {
    const { value } = await this.#lines.read();
    if (value === undefined) throw new Error("the client has ended");
    return value;
  }

  async counters(): Promise<TunCounters> {
    await this.#input.write(new TextEncoder().encode("\n"));
    return JSON.parse(await this.line());
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }

  /** Ends it in good order. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {});
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 5_000);
    await this.#child.status;
    clearTimeout(timer);
    await this.#lines.cancel();
  }
}
