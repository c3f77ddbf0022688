import { UnsupportedError } from "../../../core/errors.ts";
import { type Libc, openPipe } from "./libc.ts";
import type { PacketCommands } from "../packets/packet_device.ts";
import type { PosixIoConfig } from "./posix_io.ts";

const COMMAND_BYTES = 4;

/** Commands by a pipe, whose end is that of the packet loop. */
export class PipeCommands implements PacketCommands {
  readonly io: PosixIoConfig;
  readonly #libc: Libc;
  readonly #readEnd: number;
  #writeEnd: number;

  /** @throws {UnsupportedError} `TUN_UNSUPPORTED`. */
  constructor(
    { fd, headerBytes, libc }: {
      readonly fd: number;
      readonly headerBytes: number;
      readonly libc: Libc;
    },
  ) {
    const pipe = openPipe(libc);
    if (pipe === undefined) {
      throw new UnsupportedError("TUN_UNSUPPORTED", "Cannot make a pipe");
    }
    this.#libc = libc;
    [this.#readEnd, this.#writeEnd] = pipe;
    this.io = { kind: "posix", fd, headerBytes, commands: this.#readEnd };
  }

  send(command: number, flow: number): void {
    if (this.#writeEnd < 0) return;
    const words = new Uint16Array([command, flow]);
    this.#libc.symbols.write(
      this.#writeEnd,
      new Uint8Array(words.buffer),
      BigInt(COMMAND_BYTES),
    );
  }

  end(): void {
    if (this.#writeEnd >= 0) this.#libc.symbols.close(this.#writeEnd);
    this.#writeEnd = -1;
  }

  [Symbol.dispose](): void {
    this.end();
    this.#libc.symbols.close(this.#readEnd);
  }
}
