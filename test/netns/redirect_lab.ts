// A laptop in a network namespace whose connections are redirected.
import { Scope } from "../../src/undo/scope.ts";
import type { Json } from "../../src/core/json.ts";
import type { AnyStep } from "../../src/undo/step.ts";
import type { Machine } from "../../src/helper/operations/operation.ts";
import { openRedirectOperation } from "../../src/helper/operations/redirect_operations.ts";
import { iptablesRedirectStep } from "../../src/net/capture/iptables_redirect.ts";
import { nftRedirectStep } from "../../src/net/capture/nft_redirect.ts";
import type { RedirectArgs } from "../../src/net/capture/redirect_args.ts";
import { MemoryJournal } from "../unit/core/memory_journal.ts";
import { TextLineStream } from "../cluster/text_line_stream.ts";
import type { Question } from "./ask_dns.ts";
import { type LaptopConfig, type LaptopPorts, OWN } from "./laptop.ts";
import { addBridge } from "./neighbours.ts";
import { NetworkNamespace } from "./network_namespace.ts";

export type Method = "nft" | "iptables";

const STEPS: Record<Method, AnyStep<Machine>> = {
  nft: nftRedirectStep,
  iptables: iptablesRedirectStep,
};

export class RedirectLab implements AsyncDisposable {
  readonly space: NetworkNamespace;
  readonly ports: LaptopPorts;
  readonly #laptop: Deno.ChildProcess;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    space: NetworkNamespace,
    laptop: Deno.ChildProcess,
    ports: LaptopPorts,
    stack: AsyncDisposableStack,
  ) {
    this.space = space;
    this.#laptop = laptop;
    this.ports = ports;
    this.#stack = stack;
  }

  static async start(config: LaptopConfig = {}): Promise<RedirectLab> {
    await using stack = new AsyncDisposableStack();
    const space = stack.use(await NetworkNamespace.create());
    await space.batch(
      [...OWN.excluded, ...OWN.resolvers, OWN.other].map((address) =>
        `address add ${address} dev lo${address.includes(":") ? " nodad" : ""}`
      ),
    );
    if (config.bridges !== undefined) await addBridge(space);
    const laptop = space.spawn("laptop.ts", config);
    stack.defer(async () => {
      laptop.kill("SIGKILL");
      await laptop.status;
    });
    const lines = laptop.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
    const { value } = await lines.read();
    if (value === undefined) throw new Error("the laptop did not start");
    stack.defer(() => lines.cancel());
    return new RedirectLab(space, laptop, JSON.parse(value), stack.move());
  }

  get machine(): Machine {
    return { exec: this.space.exec, root: "" };
  }

  /** What a session of this laptop redirects. */
  args(more: Partial<RedirectArgs> = {}): RedirectArgs {
    return {
      session: "lab",
      cidrs: ["10.96.0.0/16", "fd96::/112"],
      exclude: [...OWN.excluded],
      port: this.ports.port,
      dns: {
        servers: [...OWN.resolvers, "10.96.0.10"],
        port: this.ports.dnsPort,
        ownSourcePorts: { from: 29_000, to: 29_003 },
      },
      ...more,
    };
  }

  /** Redirects by one method. Not disposed, it is what a kill leaves. */
  async redirect(method: Method, args = this.args()) {
    const { scope, journal } = this.scope();
    await scope.run(STEPS[method], args, undefined);
    return { scope, journal, [Symbol.asyncDispose]: () => scope.dispose() };
  }

  scope() {
    const journal = new MemoryJournal();
    const scope = Scope.root<Machine>({
      world: this.machine,
      journal,
      signal: new AbortController().signal,
    });
    return { scope, journal };
  }

  /** What a later helper does with a dead one's journal: nothing but its JSON is left. */
  async sweep(journal: MemoryJournal): Promise<void> {
    const known = openRedirectOperation.steps;
    for (const record of JSON.parse(JSON.stringify(journal.records))) {
      if (record.type !== "intent") continue;
      const step = known.find(({ id }) => id === record.step)!;
      const args = record.args as Json;
      await step.revert(args, this.machine, AbortSignal.timeout(10_000));
    }
  }

  /** The body of an HTTP answer, or curl's word for why there is none. */
  async get(host: string, port = 80, from = this.space): Promise<string> {
    const name = host.includes(":") ? `[${host}]` : host;
    const { code, stdout } = await from.exec("curl", [
      "-sS",
      "-m",
      from === this.space ? "5" : "2",
      `http://${name}:${port}/`,
    ]);
    return code === 0 ? stdout : CURL_CODES[code] ?? `curl ${code}`;
  }

  async ask(question: Question, from = this.space): Promise<string> {
    const child = from.spawn("ask_dns.ts", question);
    const timer = setTimeout(() => child.kill("SIGKILL"), 3_000);
    const text = await new Response(child.stdout).text();
    await child.status;
    clearTimeout(timer);
    return text.trim() || "no answer";
  }

  /** The process of the listener. */
  get laptopPid(): number {
    return this.#laptop.pid;
  }

  /** File descriptors that it has. */
  openFiles(): number {
    return [...Deno.readDirSync(`/proc/${this.laptopPid}/fd`)].length;
  }

  /** Everything that either program could have changed. */
  async rules(): Promise<string> {
    const lists = await Promise.all([
      this.space.run("nft", "list", "ruleset"),
      this.space.run("iptables-save"),
      this.space.run("ip6tables-save"),
    ]);
    return lists.join("\n").replace(/^#.*$/gm, ""); // the time of day
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

const CURL_CODES: Readonly<Record<number, string>> = {
  7: "refused", // the reset was as fast as a refusal
  28: "no answer",
  56: "refused",
};
