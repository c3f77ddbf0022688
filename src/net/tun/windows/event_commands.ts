import { UnsupportedError } from "../../../core/errors.ts";
import { CommandRing } from "../packets/command_ring.ts";
import type { PacketCommands } from "../packets/packet_device.ts";
import type { WindowsCalls } from "./windows_api.ts";
import type { WintunIoConfig } from "./wintun_io.ts";

type Calls = Pick<WindowsCalls, "CreateEventW" | "SetEvent" | "CloseHandle">;

/** Commands by shared memory, and an event of Windows that tells of them. */
export class EventCommands implements PacketCommands {
  readonly io: WintunIoConfig;
  readonly #windows: Calls;
  readonly #ring = new CommandRing();
  readonly #event: bigint;
  #isOver = false;

  /** @throws {UnsupportedError} `TUN_UNSUPPORTED`. */
  constructor(
    wintun: Pick<WintunIoConfig, "library" | "session" | "packetEvent">,
    windows: Calls,
  ) {
    this.#windows = windows;
    // without a name, not set, and reset by whoever has waited for it
    this.#event = windows.CreateEventW(0n, 0, 0, 0n);
    if (this.#event === 0n) {
      throw new UnsupportedError("TUN_UNSUPPORTED", "Cannot make an event");
    }
    this.io = {
      kind: "wintun",
      ...wintun,
      commandEvent: this.#event,
      commands: this.#ring.buffer,
    };
  }

  send(command: number, flow: number): void {
    this.#ring.send(command, flow);
    if (!this.#isOver) this.#windows.SetEvent(this.#event);
  }

  end(): void {
    this.#ring.end();
    if (!this.#isOver) this.#windows.SetEvent(this.#event);
  }

  [Symbol.dispose](): void {
    if (this.#isOver) return;
    this.end();
    this.#isOver = true;
    this.#windows.CloseHandle(this.#event);
  }
}
