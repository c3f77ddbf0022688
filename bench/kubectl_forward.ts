/** `kubectl port-forward`, started again when it breaks off, which it does now and then. */
const START_TIMEOUT_MS = 10_000;

export class KubectlForward implements AsyncDisposable {
  /** How often it ended by itself. */
  brokeOff = 0;
  readonly #command: string[];
  #child: Deno.ChildProcess | undefined;
  #port: number | undefined;

  constructor(
    options: {
      kubeconfig: string;
      namespace: string;
      pod: string;
      port: number;
      /** A command that runs another one somewhere else. */
      within?: readonly string[];
    },
  ) {
    const { kubeconfig, namespace, pod, port, within = [] } = options;
    const target = ["--kubeconfig", kubeconfig, "--namespace", namespace];
    const forward = ["port-forward", "--address=127.0.0.1", `pod/${pod}`];
    this.#command = [...within, "kubectl", ...target, ...forward, `:${port}`];
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Its local port; starts it if it does not run. */
  async port(): Promise<number> {
    return this.#port ??= await this.#start();
  }

  /** After a failure: ends what may hang, so that {@link port} starts anew. */
  async restart(): Promise<void> {
    await this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    this.#port = undefined;
    if (child === undefined) return;
    try {
      child.kill("SIGTERM");
    } catch {
      // it has ended
    }
    await child.status;
  }

  async #start(): Promise<number> {
    const [program, ...args] = this.#command;
    const child = new Deno.Command(program!, {
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#child = child;
    child.status.then(() => {
      if (this.#child !== child) return;
      this.brokeOff++;
      this.#child = undefined;
      this.#port = undefined;
    });
    const lines = child.stdout.pipeThrough(new TextDecoderStream());
    const timer = setTimeout(() => child.kill("SIGKILL"), START_TIMEOUT_MS);
    let text = "";
    for await (const part of lines.values({ preventCancel: true })) {
      text += part;
      const port = /Forwarding from 127\.0\.0\.1:(\d+)/.exec(text)?.[1];
      if (port === undefined) continue;
      clearTimeout(timer);
      // it prints a line for each connection, and stops when nobody reads them
      lines.pipeTo(new WritableStream()).catch(() => {});
      return Number(port);
    }
    throw new Error(`kubectl port-forward did not start: ${text}`);
  }
}
