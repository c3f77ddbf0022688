// A pod for clients that need more than curl: it runs the programs of programs/.
import { fileURLToPath } from "node:url";
import {
  type CommandOptions,
  succeeded,
  type TestCluster,
  type TestNamespace,
} from "./cluster.ts";
import { TextLineStream } from "./text_line_stream.ts";

export interface DenoPod {
  /** Runs a program to its end; returns what it prints. */
  run(
    program: string,
    args: readonly string[],
    options?: CommandOptions,
  ): Promise<string>;
  /** Starts a program that ends when its input does. */
  start(program: string, args: readonly string[]): PodProgram;
}

const dir = fileURLToPath(new URL("programs", import.meta.url));

/** One of the programs, to be run on this machine. */
export function programPath(name: string): string {
  return `${dir}/${name}`;
}

/** Puts the programs into the namespace, as a ConfigMap for any pod to mount. */
export async function applyPrograms(namespace: TestNamespace): Promise<void> {
  const made = ["create", "configmap", "programs", `--from-file=${dir}`];
  succeeded(await namespace.kubectl(made));
}

/** Needs {@link applyPrograms}. */
export async function startDenoPod(
  cluster: TestCluster,
  namespace: TestNamespace,
): Promise<DenoPod> {
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "deno", labels: { app: "deno" } },
    spec: {
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      containers: [denoContainer(["eval", "setInterval(() => {}, 1e9)"])],
      volumes: [programsVolume],
    },
  };
  await namespace.apply(JSON.stringify(pod));
  const ready = ["wait", "--for=condition=Ready", "pod/deno", "--timeout=60s"];
  succeeded(await namespace.kubectl(ready));
  const exec = ["exec", "-i", "deno", "--", "deno", "run", "-A"];
  return {
    run: async (program, args, options) =>
      succeeded(
        await namespace.kubectl(
          [...exec, `/programs/${program}`, ...args],
          options,
        ),
      ),
    start: (program, args) =>
      new PodProgram([
        "--kubeconfig",
        cluster.kubeconfig,
        "-n",
        namespace.name,
        ...exec,
        `/programs/${program}`,
        ...args,
      ]),
  };
}

export const programsVolume = {
  name: "programs",
  configMap: { name: "programs" },
};

/** A container with Deno and the programs, for pods of the tests. */
export function denoContainer(args: readonly string[]) {
  return {
    name: "deno",
    image: "ktctl-demo:1",
    imagePullPolicy: "IfNotPresent",
    command: ["/usr/bin/deno", ...args],
    volumeMounts: [{ name: "programs", mountPath: "/programs" }],
  };
}

/** A program that runs in the pod until it is told to stop. */
export class PodProgram {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #errors: Promise<string>;

  constructor(args: readonly string[]) {
    this.#child = new Deno.Command("kubectl", {
      args: [...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
    this.#errors = new Response(this.#child.stderr).text();
  }

  /** Sends a line, and returns the one that answers. */
  async tell(line: string): Promise<string> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
    return await this.line();
  }

  /** The next line that it prints. */
  async line(): Promise<string> {
    const { value, done } = await this.#lines.read();
    if (!done) return value;
    const { code } = await this.#child.status;
    throw new Error(`it ended with code ${code}: ${await this.#errors}`);
  }

  /** Ends its input; returns the last line that it prints. */
  async stop(): Promise<string> {
    await this.#input.close();
    const last = await this.line();
    await this.#lines.cancel();
    await this.#child.status;
    await this.#errors;
    return last;
  }
}
