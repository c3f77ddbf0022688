// Whether Services answer, as a pod of the cluster sees it.
import { fileURLToPath } from "node:url";
import type { TestNamespace } from "../cluster/cluster.ts";
import { succeeded } from "../cluster/cluster.ts";
import { TextLineStream } from "../cluster/text_line_stream.ts";
import { Answers } from "./answers.ts";

const PROGRAM = fileURLToPath(new URL("probe_program.ts", import.meta.url));

export interface Watch {
  readonly answers: Answers;
  /** Asks no more; returns when all answers are told. */
  end(): Promise<void>;
}

/** Asks many Services at once, and beside them one that nothing happens to. */
export class Prober implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #watches = new Map<
    string,
    { answers: Answers; ended: () => void }
  >();
  readonly #read: Promise<void>;
  #started = 0;
  readonly #control: Promise<Watch>;

  private constructor(child: Deno.ChildProcess, control: string) {
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.#read = this.#readLines();
    this.#control = this.#watch(control);
  }

  /** `control` has a Service `web` that nothing is done to. */
  static async open(control: TestNamespace): Promise<Prober> {
    const { network } = await control.client();
    if (network === undefined) {
      throw new Error("the node of the cluster is not this machine");
    }
    const [program, ...words] = network;
    const child = new Deno.Command(program!, {
      args: [...words, Deno.execPath(), "run", "-A", "--no-check", PROGRAM],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    return new Prober(child, await addressOf(control));
  }

  /** Of the one that nothing happens to: when it is not answered, the machine stands still. */
  get control(): Promise<Answers> {
    return this.#control.then(({ answers }) => answers);
  }

  /** The Service `web` of a namespace, asked with a header of the form `name: value`. */
  async watch(namespace: TestNamespace, header = ""): Promise<Watch> {
    return await this.#watch(await addressOf(namespace), header);
  }

  async #watch(address: string, header = ""): Promise<Watch> {
    const id = `${this.#started++}`;
    const { promise, resolve } = Promise.withResolvers<void>();
    const answers = new Answers();
    this.#watches.set(id, { answers, ended: resolve });
    await this.#tell(`watch ${id} ${address} ${header}`.trim());
    return {
      answers,
      end: async () => {
        await this.#tell(`end ${id}`);
        await promise;
      },
    };
  }

  async #tell(line: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
  }

  async #readLines(): Promise<void> {
    const lines = this.#child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    for await (const line of lines) {
      const [id = "", at, what] = line.split(" ");
      const watch = this.#watches.get(id);
      if (watch === undefined) continue;
      watch.answers.add(Number(at));
      if (what !== "ended") continue;
      this.#watches.delete(id);
      watch.ended();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
    await this.#child.status;
    await this.#read;
  }
}

async function addressOf(namespace: TestNamespace): Promise<string> {
  const ask = ["get", "service", "web", "-o", "jsonpath={.spec.clusterIP}"];
  return succeeded(await namespace.kubectl(ask));
}
