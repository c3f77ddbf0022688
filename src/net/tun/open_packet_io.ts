import { openLibc } from "./posix/libc.ts";
import type { PacketIoConfig } from "./packets/packet_device.ts";
import type { PacketIo } from "./packets/packet_io.ts";
import { openPosixIo } from "./posix/posix_io.ts";
import { openWindowsApi } from "./windows/windows_api.ts";
import { openWintunApi } from "./windows/wintun_api.ts";
import { openWintunIo } from "./windows/wintun_io.ts";

/** In the thread that carries packets: libraries are opened once more, as they cannot be sent. */
export function openPacketIo(config: PacketIoConfig): PacketIo {
  if (config.kind === "posix") return openPosixIo(config, openLibc());
  return openWintunIo(config, {
    wintun: openWintunApi(config.library).symbols,
    windows: openWindowsApi().symbols,
  });
}
