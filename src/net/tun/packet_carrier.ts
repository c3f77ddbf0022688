import { UnsupportedError } from "../../core/errors.ts";
import type { PacketCommands, PacketDevice } from "./packets/packet_device.ts";
import type { FamilyEnds } from "./packets/packet_rewriter.ts";
import { COMMAND, type PacketLoopMessage } from "./packets/packet_loop.ts";
import type { PacketWork } from "./packet_worker.ts";
import { startPacketWorker } from "./start_packet_worker.ts";

/** A packet loop that does not end in this time is cut off. */
const STOP_MS = 2_000;

export interface PacketCarrierEvents {
  /** A new connection, whose SYN is held until {@link PacketCarrier.command}. */
  readonly onAsk: (flow: number, packet: Uint8Array) => void;
  /** A packet that belongs to no connection. */
  readonly onOther: (packet: Uint8Array) => void;
  /** The device went away, or the packet loop broke. */
  readonly onLost: (error: UnsupportedError) => void;
}

/** The thread that carries packets between a device and this machine's own TCP. */
export class PacketCarrier implements AsyncDisposable {
  readonly #device: PacketDevice;
  readonly #events: PacketCarrierEvents;
  readonly #worker: Worker;
  readonly #waiting = new Int32Array(new SharedArrayBuffer(4));
  readonly #commands: PacketCommands;
  readonly #ended = Promise.withResolvers<void>();
  #isStopping = false;

  constructor(
    device: PacketDevice,
    ends: { readonly 4: FamilyEnds; readonly 6?: FamilyEnds },
    events: PacketCarrierEvents,
  ) {
    this.#device = device;
    this.#events = events;
    this.#commands = device.openCommands();
    this.#worker = startPacketWorker();
    this.#worker.onmessage = ({ data }) => this.#take(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#lose(`the thread that carries its packets broke: ${event.message}`);
    };
    const work: PacketWork = {
      io: this.#commands.io,
      ends,
      waiting: this.#waiting,
    };
    this.#worker.postMessage(work);
  }

  /** What becomes of a connection that was asked about. */
  command(command: keyof typeof COMMAND, flow: number): void {
    if (!this.#isStopping) this.#commands.send(COMMAND[command], flow);
  }

  /** A packet for this machine, if there is one. */
  inject(frame: Uint8Array | undefined): void {
    if (frame !== undefined && !this.#isStopping) this.#device.write(frame);
  }

  #take(message: PacketLoopMessage): void {
    if (message.kind === "end") {
      if (message.lost) this.#lose("it is gone");
      return this.#ended.resolve();
    }
    Atomics.sub(this.#waiting, 0, 1);
    if (message.kind === "ask") {
      this.#events.onAsk(message.flow, message.packet);
    } else this.#events.onOther(message.packet);
  }

  #lose(reason: string): void {
    this.#ended.resolve();
    if (this.#isStopping) return;
    this.#events.onLost(
      new UnsupportedError(
        "TUN_LOST",
        `Cannot go on with the TUN device: ${reason}`,
        { hint: "Run the command again." },
      ),
    );
  }

  /** Packets that are in the device already are still carried. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isStopping) return await this.#ended.promise;
    this.#isStopping = true;
    this.#commands.end();
    const timer = setTimeout(this.#ended.resolve, STOP_MS);
    await this.#ended.promise;
    clearTimeout(timer);
    this.#worker.terminate();
    this.#commands[Symbol.dispose]();
  }
}
