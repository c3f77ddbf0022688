import { messageOf } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import type { Report } from "../core/report.ts";
import type { HelperClient } from "../helper/helper_client.ts";
import type { RootRights } from "../plugins/plugin.ts";

/** Rights on this machine: the root helper, started when it is first needed. */
export class MachineRoot implements RootRights, AsyncDisposable {
  readonly #report: Report;
  readonly #signal: AbortSignal;
  readonly #died = Promise.withResolvers<never>();
  #client: Promise<HelperClient> | undefined;
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

  async open<R extends Json>(
    operation: string,
    args: Json,
    onEvent?: (event: Json) => void,
  ): Promise<{ readonly result: R; close(): Promise<void> }> {
    const client = await (this.#client ??= this.#start());
    return await client.open<R>(operation, args, onEvent);
  }

  async #start(): Promise<HelperClient> {
    const { startHelper } = await import("../helper/helper_client.ts");
    const client = await startHelper({ signal: this.#signal });
    if (client.swept.length > 0) {
      this.#report.warn(
        "SWEPT",
        `Took back what a session that died had left on this machine: ${
          client.swept.join("; ")
        }`,
      );
    }
    client.failed.catch((error) => {
      if (!this.#isEnding) this.#died.reject(error);
    });
    return client;
  }

  /** Has the helper take everything back. One that died is started anew, to do so. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    const client = await this.#client?.catch(() => undefined);
    if (client === undefined) return;
    try {
      await client[Symbol.asyncDispose]();
    } catch (error) {
      this.#report.debug(`The root helper: ${messageOf(error)}`);
      const { startHelper } = await import("../helper/helper_client.ts");
      await using _sweeping = await startHelper({
        signal: AbortSignal.timeout(60_000),
      });
    }
  }
}
