import { CleanupError, type KtctlError, LinkError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import { within } from "../core/within.ts";
import { type CallOptions, HelperCalls } from "./helper_calls.ts";
import {
  encodeLine,
  type Hello,
  type HelperAnswer,
  type HelperRequest,
  NO_REQUEST,
  parseAnswer,
} from "./protocol.ts";
import { LineSplitter } from "./line_splitter.ts";
import { fromWireError } from "./wire_error.ts";

/** The helper's process, as far as the client needs it. */
export interface HelperProcess {
  readonly stdin: WritableStream<Uint8Array>;
  readonly stdout: ReadableStream<Uint8Array>;
  /** Resolves with the exit code, or where a signal ended it 128 and more. */
  readonly ended: Promise<number>;
}

/** What an operation has opened, until it is closed or the client is disposed. */
export interface OpenOperation<R> {
  readonly result: R;
  /** Takes it back. Rejects with the `CleanupError` that says what could not be. */
  close(): Promise<void>;
}

const UNDO_MS = 60_000;
const END_MS = 5_000;

/** The client's end of the root helper. Disposed, it has the helper take back everything. */
export class RootHelperClient implements AsyncDisposable {
  readonly #process: HelperProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #calls = new HelperCalls();
  readonly #hello = Promise.withResolvers<Hello>();
  readonly #failed = Promise.withResolvers<never>();
  /** The helper has said its last word, or cannot any more. */
  readonly #over: Promise<void>;
  readonly #undoMs: number;
  #left: readonly string[] = [];
  #swept: readonly string[] = [];
  #pid: number | undefined;
  #bye: { error: Error | undefined } | undefined;
  #disposal: Promise<void> | undefined;

  constructor(process: HelperProcess, options: { undoMs?: number } = {}) {
    this.#process = process;
    this.#undoMs = options.undoMs ?? UNDO_MS;
    this.#writer = process.stdin.getWriter();
    this.#writer.closed.catch(() => {}); // its end is seen by reading
    this.#failed.promise.catch(() => {}); // read by whoever cares
    this.#hello.promise.catch(() => {});
    this.#over = this.#read();
  }

  /** The helper's process, not that of sudo; known when it is ready. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** What dead helpers had left and this one took back when it started. */
  get swept(): readonly string[] {
    return this.#swept;
  }

  /** What dead helpers had left and is still there, with the command that undoes it. */
  get left(): readonly string[] {
    return this.#left;
  }

  /**
   * Rejects when the helper dies though nobody asked it to, or something that is open in it breaks:
   * with the operation's own error, a `LinkError` (`HELPER_ENDED`) where it put everything back, or
   * a `CleanupError`. Never resolves.
   */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Resolves when the helper is ready. Rejects with its own error where it says why it is not, or as {@link failed}. */
  async ready(): Promise<void> {
    await this.#hello.promise;
  }

  /**
   * Has the helper do something that lasts until it is closed.
   *
   * @throws the error of the operation; `UnsupportedError` (`HELPER_TIMEOUT`); the reason of
   * `signal`. What a call that was given up opens later is closed at once.
   */
  async open<R = Json>(
    operation: string,
    args: Json,
    onEvent: (event: Json) => void = () => {},
    options: CallOptions = {},
  ): Promise<OpenOperation<R>> {
    const { id, answer } = this.#calls.begin(operation, {
      ...options,
      onEvent,
      onLate: () => this.#send({ id: this.#calls.nextId(), close: id }),
    });
    this.#send({ id, open: operation, args });
    const result = await answer as R;
    return { result, close: () => this.#close(id) };
  }

  async #close(opened: number): Promise<void> {
    if (this.#disposal !== undefined) return await this.#disposal;
    const { id, answer } = this.#calls.begin("close", { closes: opened });
    this.#send({ id, close: opened });
    await answer;
  }

  /** What does not arrive is told by the end of the helper. */
  #send(request: HelperRequest): void {
    this.#writer.write(encodeLine(request)).catch(() => {});
  }

  async #read(): Promise<void> {
    let broken: unknown;
    try {
      const lines = new LineSplitter();
      for await (const chunk of this.#process.stdout) {
        for (const line of lines.push(chunk)) this.#take(parseAnswer(line));
      }
    } catch (error) {
      broken = error; // the helper undoes when it cannot write any more
    }
    const error = broken ?? this.#endError();
    this.#hello.reject(error);
    this.#calls.end(error);
    if (this.#disposal === undefined) this.#fail(error);
  }

  #take(answer: HelperAnswer): void {
    if ("hello" in answer) {
      const { pid, swept, left } = answer.hello;
      this.#pid = pid;
      this.#swept = swept;
      this.#left = left;
      this.#hello.resolve(answer.hello);
    } else if ("bye" in answer) {
      const { error } = answer.bye;
      this.#bye = { error: error === null ? undefined : fromWireError(error) };
    } else if ("event" in answer) {
      this.#calls.event(answer.id, answer.event as Json);
    } else if ("ok" in answer) {
      this.#calls.resolve(answer.id, answer.ok as Json);
    } else {
      const error = fromWireError(answer.error);
      const isAnswer = this.#calls.reject(answer.id, error);
      if (!isAnswer || answer.id === NO_REQUEST) this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#failed.reject(error);
  }

  /** Why nothing more can be asked for. */
  #endError(): Error {
    if (this.#bye?.error !== undefined) return this.#bye.error;
    if (this.#bye === undefined) return this.#lost();
    return new LinkError(
      "HELPER_ENDED",
      "The root helper was stopped, and restored what it had changed",
      { hint: "Run the command again." },
    );
  }

  /** It is not known what it has taken back. */
  #lost(): KtctlError {
    return new CleanupError(
      "HELPER_LOST",
      "The root helper ended unexpectedly: what it changed may be left behind",
      {
        details: this.#calls.open.map((name) => `May be left: ${name}`),
        hint:
          "Run the command again: the next helper cleans up what this one left.",
      },
    );
  }

  /** Resolves when everything is taken back. Throws a `CleanupError` with what is left otherwise. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#disposal ??= this.#dispose();
  }

  async #dispose(): Promise<void> {
    this.#writer.close().catch(() => {}); // it may have died
    if (!await within(this.#undoMs, over(this.#over))) {
      throw new CleanupError(
        "HELPER_SLOW",
        `The root helper has not restored everything within ${this.#undoMs} ms; it is still trying`,
        {
          details: this.#calls.open.map((name) => `Not restored yet: ${name}`),
          hint:
            "If it is stuck, stop it: the next helper cleans up what is left.",
        },
      );
    }
    await within(END_MS, over(this.#process.ended));
    if (this.#bye?.error !== undefined) throw this.#bye.error;
    if (this.#bye === undefined && this.#calls.open.length > 0) {
      throw this.#lost();
    }
  }
}

/** True once it is over, however it ends. */
function over(work: Promise<unknown>): Promise<true> {
  return work.then(() => true, () => true);
}
