import type { Duplex } from "node:stream";
import { type LinkError, messageOf } from "../../core/errors.ts";
import type { Origin } from "../wire/laptop_end.ts";
import type { PodEnd, RequestedDial } from "../wire/pod_end.ts";
import { watchSilence } from "../wire/silence.ts";
import type { LinkServices } from "./link_services.ts";
import { logLine } from "./log_line.ts";
import type { Opened } from "./opened.ts";
import type { PortClient } from "./port_server.ts";
import type { PortTable } from "./port_table.ts";

/** What a client session works with. */
export interface ClientSessionOptions {
  /** What it logged in as. */
  readonly name: string;
  readonly ports: PortTable;
  readonly services: LinkServices;
}

/** One authenticated client: the ports it holds, and the connections it asks for. */
export class ClientSession implements PortClient {
  readonly #end: PodEnd;
  readonly #options: ClientSessionOptions;
  readonly #gone = new AbortController();

  constructor(end: PodEnd, options: ClientSessionOptions) {
    this.#end = end;
    this.#options = options;
    const { ports } = options;
    end.serve({
      onAttach: (port) => ports.attach(port, this),
      onDetach: (port) => ports.detach(port, this),
      onDial: (dial) => this.#dial(dial),
    });
  }

  /** Gives up everything when the connection ends, or when it is silent for so long. */
  watch(timeoutMs: number): void {
    const { ports, name } = this.#options;
    ports.enter(this, name);
    const silence = watchSilence(() => this.#end.received, {
      silentMs: timeoutMs,
      onSilence: () => {
        logLine(`client silent for ${timeoutMs} ms: dropped`);
        this.#end.destroy();
      },
    });
    void this.#end.closed.then(() => {
      silence[Symbol.dispose]();
      this.#gone.abort();
      ports.leave(this);
    });
  }

  get isGone(): boolean {
    return this.#end.isClosed;
  }

  openChannel(port: number, origin: Origin): Promise<Duplex> {
    return this.#end.offer(port, origin);
  }

  async #dial(dial: RequestedDial): Promise<void> {
    let opened: Opened;
    try {
      opened = await this.#options.services.open(dial, this.#gone.signal);
    } catch (error) {
      const { code } = error as LinkError;
      if (!this.#gone.signal.aborted) {
        dial.refuse(`${code}: ${messageOf(error)}`);
      }
      return;
    }
    if (this.#gone.signal.aborted) return opened[Symbol.dispose]();
    opened.serve(dial.accept());
  }
}
