/** What people use without ktctl: OpenSSH or sshuttle, over `kubectl port-forward` to a pod with sshd. */
import { eventually } from "../test/cluster/laptop.ts";
import type { NetLaptop } from "../test/cluster/net_laptop.ts";
import { KubectlForward } from "./kubectl_forward.ts";
import type { SshdPod } from "./sshd_pod.ts";
import type { Testbed } from "./testbed.ts";

const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 5_000;

export class SshWay implements AsyncDisposable {
  readonly #options: SshWayOptions;
  readonly #forward: KubectlForward;
  #child: Deno.ChildProcess | undefined;

  constructor(options: SshWayOptions) {
    const { bed, laptop, sshd } = options;
    this.#options = options;
    this.#forward = new KubectlForward({
      kubeconfig: bed.cluster.kubeconfig,
      namespace: bed.namespace.name,
      pod: sshd.name,
      port: sshd.port,
      within: laptop?.enter ?? [],
    });
  }

  /** Returns when bytes pass. */
  async start(): Promise<void> {
    const { laptop, command, works } = this.#options;
    const words = command(await this.#forward.port());
    const child = laptop === undefined
      ? new Deno.Command(words[0]!, {
        args: words.slice(1),
        stdin: "null",
        stdout: "null",
        stderr: "piped",
      }).spawn()
      : laptop.spawn(words, { stderr: "piped" });
    this.#child = child;
    let end: string | undefined;
    new Response(child.stderr).text().then((text) => end = text);
    await eventually(`${words[0]} carries bytes`, async () => {
      if (end !== undefined) throw new Error(`${words[0]} ended: ${end}`);
      return await works().then(() => true, () => false);
    }, START_TIMEOUT_MS);
  }

  async restart(): Promise<void> {
    await this[Symbol.asyncDispose]();
    await this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child !== undefined) {
      const kill = (signal: Deno.Signal) => {
        try {
          child.kill(signal);
        } catch {
          // it has ended
        }
      };
      kill("SIGTERM"); // at which sshuttle takes its rules back
      const timer = setTimeout(() => kill("SIGKILL"), STOP_TIMEOUT_MS);
      await child.status;
      clearTimeout(timer);
    }
    await this.#forward[Symbol.asyncDispose]();
  }
}

export interface SshWayOptions {
  readonly bed: Testbed;
  /** Where it is to run. @default this machine */
  readonly laptop?: NetLaptop;
  readonly sshd: SshdPod;
  /** The program, for the port of this laptop that is sshd's. */
  readonly command: (port: number) => string[];
  /** Rejects as long as nothing passes. */
  readonly works: () => Promise<unknown>;
}
