// Runs ktctl as its users do: a process of its own, read through `--output json`.
import { PROGRAM_FOLDER, programWords } from "./tested_program.ts";
import { TextLineStream } from "./text_line_stream.ts";

/** One line of `--output json`. */
export interface KtctlEvent {
  readonly event: string;
  readonly time: string;
  // deno-lint-ignore no-explicit-any -- each event has fields of its own
  readonly [field: string]: any;
}

export interface KtctlOptions {
  readonly kubeconfig: string;
  readonly namespace?: string;
  readonly env?: Record<string, string>;
  /** @default a folder without a project */
  readonly cwd?: string;
  /** Words that start ktctl. @default those of the tested program */
  readonly program?: readonly string[];
  /** A command that runs another one: somewhere else, as somebody else. */
  readonly within?: readonly string[];
  /** Leave out `--output json`. */
  readonly human?: boolean;
}

export interface KtctlResult {
  readonly code: number;
  readonly events: readonly KtctlEvent[];
  readonly stdout: string;
  readonly stderr: string;
  /** The `error` event, where there was one. */
  readonly error: KtctlEvent | undefined;
}

/** So long the root helper of what was killed may take to put the machine back. */
const HELPER_MS = 60_000;

export class KtctlProcess implements AsyncDisposable {
  readonly child: Deno.ChildProcess;
  readonly events: KtctlEvent[] = [];
  #waiting = new Set<
    {
      matches: (event: KtctlEvent) => boolean;
      found: (event: KtctlEvent) => void;
    }
  >();
  #stdout = "";
  #stderr = "";
  #ended: Promise<KtctlResult>;
  /** Aborted where what is left to read is not waited for. */
  #unread = new AbortController();

  constructor(args: readonly string[], options: KtctlOptions) {
    const { program = programWords(), within = [] } = options;
    const form = options.human ? [] : ["--output", "json"];
    const namespace = options.namespace === undefined
      ? []
      : ["-n", options.namespace];
    const [command, ...words] = [...within, ...program];
    this.child = new Deno.Command(command!, {
      args: [...words, ...args, ...namespace, ...form],
      env: { KUBECONFIG: options.kubeconfig, ...options.env },
      cwd: options.cwd ?? PROGRAM_FOLDER,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#ended = this.#read();
  }

  get pid(): number {
    return this.child.pid;
  }

  /** The first event, past or to come, that matches. Rejects when the process ends or time is up. */
  async event(
    matches: string | ((event: KtctlEvent) => boolean),
    timeoutMs = 60_000,
  ): Promise<KtctlEvent> {
    const test = typeof matches === "string"
      ? (event: KtctlEvent) => event.event === matches
      : matches;
    const past = this.events.find(test);
    if (past !== undefined) return past;
    return await this.next(test, timeoutMs);
  }

  /** The first event from now on that matches. */
  next(
    matches: (event: KtctlEvent) => boolean,
    timeoutMs?: number,
  ): Promise<KtctlEvent> {
    const event = this.#next(matches, timeoutMs);
    // a test that fails before it asks is to tell its own error
    event.catch(() => {});
    return event;
  }

  async #next(
    matches: (event: KtctlEvent) => boolean,
    timeoutMs = 60_000,
  ): Promise<KtctlEvent> {
    const { promise, resolve, reject } = Promise.withResolvers<KtctlEvent>();
    const waiter = { matches, found: resolve };
    this.#waiting.add(waiter);
    const timer = setTimeout(
      () =>
        reject(
          new Error(
            `no such event within ${timeoutMs} ms; so far:\n${this.#log()}`,
          ),
        ),
      timeoutMs,
    );
    this.#ended.then(() =>
      reject(new Error(`ktctl ended before such an event:\n${this.#log()}`))
    );
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(waiter);
    }
  }

  /** The next time that the link is back. */
  linkUp(timeoutMs?: number): Promise<KtctlEvent> {
    return this.next(
      ({ event, state }) => event === "link" && state === "up",
      timeoutMs,
    );
  }

  /** Waits for `ready`. */
  ready(timeoutMs?: number): Promise<KtctlEvent> {
    return this.event("ready", timeoutMs);
  }

  kill(signal: Deno.Signal): void {
    try {
      this.child.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended already
    }
  }

  /** When it has ended, however. */
  async over(): Promise<void> {
    await this.child.status;
  }

  /** The result, once the process has ended; it is killed when time is up. */
  async ended(timeoutMs = 60_000): Promise<KtctlResult> {
    let timer = setTimeout(() => {
      this.kill("SIGKILL");
      // the root helper has its stderr as well, and may be stopped
      timer = setTimeout(() => this.#unread.abort(), HELPER_MS);
    }, timeoutMs);
    try {
      return await this.#ended;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ctrl-C, and the result. */
  async stop(signal: Deno.Signal = "SIGINT"): Promise<KtctlResult> {
    this.kill(signal);
    return await this.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #read(): Promise<KtctlResult> {
    const [, , { code }] = await Promise.all([
      this.#lines(this.child.stdout, (line) => {
        this.#stdout += `${line}\n`;
        this.#take(line);
      }),
      this.#lines(this.child.stderr, (line) => this.#stderr += `${line}\n`),
      this.child.status,
    ]);
    const error = this.events.findLast(({ event }) => event === "error");
    return {
      code,
      events: this.events,
      stdout: this.#stdout,
      stderr: this.#stderr,
      error,
    };
  }

  #take(line: string): void {
    if (!line.startsWith("{")) return;
    const event: KtctlEvent = JSON.parse(line);
    this.events.push(event);
    for (const waiter of this.#waiting) {
      if (waiter.matches(event)) waiter.found(event);
    }
  }

  async #lines(
    stream: ReadableStream<Uint8Array>,
    take: (line: string) => void,
  ): Promise<void> {
    const { signal } = this.#unread;
    const lines = stream.pipeThrough(new TextDecoderStream(), { signal })
      .pipeThrough(new TextLineStream());
    try {
      for await (const line of lines) take(line);
    } catch (error) {
      if (!this.#unread.signal.aborted) throw error;
    }
  }

  #log(): string {
    return `${this.#stdout}${this.#stderr}`;
  }
}

/** Runs ktctl to its end. */
export async function ktctl(
  args: readonly string[],
  options: KtctlOptions,
  timeoutMs = 90_000,
): Promise<KtctlResult> {
  const process = new KtctlProcess(args, options);
  return await process.ended(timeoutMs);
}
