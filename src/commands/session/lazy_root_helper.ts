import { CleanupError, KtctlError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import type { Report } from "../../core/report.ts";
import type { RootHelperClient } from "../../helper/root_helper_client.ts";
import type {
  OpenedRoot,
  RootHelper,
  RootOperations,
} from "../../plugins/plugin.ts";

/** Whoever has to type a password again may take so long. */
const SWEEP_MS = 120_000;

/** The root helper, started when it is first needed. */
export class LazyRootHelper implements RootHelper, AsyncDisposable {
  readonly #report: Report;
  readonly #signal: AbortSignal;
  readonly #died = Promise.withResolvers<never>();
  #client: Promise<RootHelperClient> | undefined;
  #isEnding = false;

  constructor(options: { report: Report; signal: AbortSignal }) {
    this.#report = options.report;
    this.#signal = options.signal;
    this.#died.promise.catch(() => {}); // for whoever asks
  }

  /** Rejects when the helper has ended though nobody asked it to. Never resolves. */
  get failed(): Promise<never> {
    return this.#died.promise;
  }

  async open<Name extends keyof RootOperations>(
    operation: Name,
    args: RootOperations[Name]["args"],
    onEvent?: (event: Json) => void,
  ): Promise<OpenedRoot<Name>> {
    const client = await (this.#client ??= this.#start());
    const signal = this.#signal;
    return await client.open(operation, args, onEvent, { signal });
  }

  async #start(): Promise<RootHelperClient> {
    const client = await start(this.#signal);
    if (client.swept.length > 0) {
      this.#report.warn(
        "SWEPT",
        `Cleaned up on this machine after a crashed session: ${
          client.swept.join("; ")
        }`,
      );
    }
    for (const left of client.left) this.#report.warn("LEFT_BEHIND", left);
    client.failed.catch((error) => {
      if (!this.#isEnding) this.#died.reject(error);
    });
    return client;
  }

  /** Has the helper take everything back. For one that died without a word, another one does it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    const client = await this.#client?.catch(() => undefined);
    if (client === undefined) return;
    try {
      await client[Symbol.asyncDispose]();
    } catch (error) {
      const isLost = error instanceof KtctlError &&
        error.code === "HELPER_LOST";
      if (!isLost) throw error;
      this.#report.debug(`${error.message}: starting another one`);
      await using sweeper = await start(AbortSignal.timeout(SWEEP_MS));
      if (sweeper.left.length === 0) return;
      throw new CleanupError(
        "LEFT_BEHIND",
        "Not everything on this machine could be restored",
        { details: sweeper.left },
      );
    }
  }
}

/** Loaded when it is needed: most commands never are root. */
async function start(signal: AbortSignal): Promise<RootHelperClient> {
  const { startHelper } = await import("../../helper/start_helper.ts");
  return await startHelper({ signal });
}
