import { PermissionError, UnsupportedError } from "../../../core/errors.ts";
import { EventCommands } from "./event_commands.ts";
import { findWintun } from "./find_wintun.ts";
import type { PacketDevice } from "../packets/packet_device.ts";
import { VNET_HEADER_BYTES } from "../packets/vnet_header.ts";
import { openWindowsApi } from "./windows_api.ts";
import { guidBytes, wideText } from "./windows_data.ts";
import { openWintunApi } from "./wintun_api.ts";
import { sendByWintun } from "./wintun_io.ts";
import { wintunName } from "./wintun_name.ts";

/**
 * Always the same: Windows keeps what it learns about a network under this, and would else learn of
 * a new one at each start.
 */
const GUID = "b0f7c1d4-5a3e-4c0b-9d52-6b7463746c01";
/** In bytes; of each direction. Wintun takes powers of two from 128 KiB to 64 MiB. */
const RING_BYTES = 0x80_0000;

const ERROR_ACCESS_DENIED = 5;

/**
 * A wintun adapter of Windows that this process has made, which takes an administrator. It goes with
 * this object, or with the process, and its addresses and routes go with it. Not verified on Windows.
 */
export class WintunDevice implements PacketDevice {
  readonly name: string;
  readonly #library = findWintun();
  readonly #wintun;
  readonly #windows;
  #adapter = 0n;
  #session = 0n;
  #isOver = false;

  /**
   * @param session That of ktctl, which the adapter is named by.
   * @throws {PermissionError} `FFI_NOT_ALLOWED`, `TUN_NOT_ALLOWED`.
   * @throws {UnsupportedError} `WINTUN_MISSING`, `WINTUN_UNUSABLE`, `TUN_UNSUPPORTED`.
   */
  constructor(session: string) {
    this.name = wintunName(session);
    this.#wintun = openWintunApi(this.#library);
    this.#windows = openWindowsApi();
    const { symbols } = this.#wintun;
    try {
      this.#adapter = symbols.WintunCreateAdapter(
        wideText(this.name),
        wideText("ktctl"),
        guidBytes(GUID),
      );
      if (this.#adapter === 0n) throw this.#failed("make");
      this.#session = symbols.WintunStartSession(this.#adapter, RING_BYTES);
      if (this.#session === 0n) throw this.#failed("open");
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  write(frame: Uint8Array): void {
    if (this.#isOver) return;
    const packet = frame.subarray(VNET_HEADER_BYTES) as Uint8Array<ArrayBuffer>;
    sendByWintun(this.#session, packet, {
      wintun: this.#wintun.symbols,
      windows: this.#windows.symbols,
    });
  }

  openCommands(): EventCommands {
    const { symbols } = this.#wintun;
    return new EventCommands({
      library: this.#library,
      session: this.#session,
      packetEvent: symbols.WintunGetReadWaitEvent(this.#session),
    }, this.#windows.symbols);
  }

  /** No thread may carry packets any more. Does nothing the second time. */
  [Symbol.dispose](): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { symbols } = this.#wintun;
    if (this.#session !== 0n) symbols.WintunEndSession(this.#session);
    if (this.#adapter !== 0n) symbols.WintunCloseAdapter(this.#adapter);
    this.#wintun.close();
    this.#windows.close();
  }

  #failed(what: string): Error {
    const code = this.#windows.symbols.GetLastError();
    const message = `Cannot ${what} the network device "${this.name}": `;
    return code === ERROR_ACCESS_DENIED
      ? new PermissionError(
        "TUN_NOT_ALLOWED",
        `${message}it needs an administrator`,
      )
      : new UnsupportedError(
        "TUN_UNSUPPORTED",
        `${message}wintun failed with Windows' error ${code}`,
      );
  }
}
