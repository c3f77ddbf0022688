import { UnsupportedError } from "../../core/errors.ts";
import { openPipe } from "./libc.ts";
import type { PacketDevice } from "./packet_device.ts";
import type { FamilyEnds } from "./packet_rewriter.ts";
import {
  COMMAND,
  COMMAND_BYTES,
  type PumpConfig,
  type PumpMessage,
} from "./packet_pump.ts";
import { startPacketWorker } from "./start_packet_worker.ts";

/** A pump that does not end in this time is cut off. */
const STOP_MS = 2_000;

export interface PacketCarrierEvents {
  /** A new connection, whose SYN is held until {@link PacketCarrier.command}. */
  readonly onAsk: (flow: number, packet: Uint8Array) => void;
  /** A packet that belongs to no connection. */
  readonly onOther: (packet: Uint8Array) => void;
  /** The device went away, or the pump broke. */
  readonly onLost: (error: UnsupportedError) => void;
}

/** The thread that carries packets between a device and this machine's own TCP. */
export class PacketCarrier implements AsyncDisposable {
  readonly #device: PacketDevice;
  readonly #events: PacketCarrierEvents;
  readonly #worker: Worker;
  readonly #waiting = new Int32Array(new SharedArrayBuffer(4));
  readonly #readEnd: number;
  #writeEnd: number;
  readonly #ended = Promise.withResolvers<void>();
  #isStopping = false;

  constructor(
    device: PacketDevice,
    ends: { readonly 4: FamilyEnds; readonly 6?: FamilyEnds },
    events: PacketCarrierEvents,
  ) {
    this.#device = device;
    this.#events = events;
    const pipe = openPipe(device.libc);
    if (pipe === undefined) {
      throw new UnsupportedError("TUN_UNSUPPORTED", "Cannot make a pipe");
    }
    [this.#readEnd, this.#writeEnd] = pipe;
    this.#worker = startPacketWorker();
    this.#worker.onmessage = ({ data }) => this.#take(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#lose(`the thread that carries its packets broke: ${event.message}`);
    };
    const { fd, headerBytes } = device;
    const config: PumpConfig = {
      fd,
      headerBytes,
      commands: this.#readEnd,
      ends,
      waiting: this.#waiting,
    };
    this.#worker.postMessage(config);
  }

  /** What becomes of a connection that was asked about. */
  command(command: keyof typeof COMMAND, flow: number): void {
    if (this.#writeEnd < 0) return;
    const words = new Uint16Array([COMMAND[command], flow]);
    this.#device.libc.symbols.write(
      this.#writeEnd,
      new Uint8Array(words.buffer),
      BigInt(COMMAND_BYTES),
    );
  }

  /** A packet for this machine, if there is one. */
  inject(frame: Uint8Array | undefined): void {
    if (frame !== undefined && this.#writeEnd >= 0) this.#device.write(frame);
  }

  #take(message: PumpMessage): void {
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
        `Cannot carry on with the TUN device: ${reason}`,
        { hint: "Run the command again." },
      ),
    );
  }

  /** Packets that are in the device already are still carried. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isStopping) return await this.#ended.promise;
    this.#isStopping = true;
    const { close } = this.#device.libc.symbols;
    close(this.#writeEnd); // the end of the pipe is that of the pump
    this.#writeEnd = -1;
    const timer = setTimeout(this.#ended.resolve, STOP_MS);
    await this.#ended.promise;
    clearTimeout(timer);
    this.#worker.terminate();
    close(this.#readEnd);
  }
}
