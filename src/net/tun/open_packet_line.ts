import { openLibc } from "./posix/libc.ts";
import type { LineConfig } from "./packets/packet_device.ts";
import type { PacketLine } from "./packets/packet_line.ts";
import { openPosixLine } from "./posix/posix_line.ts";
import { openWindowsApi } from "./windows/windows_api.ts";
import { openWintunApi } from "./windows/wintun_api.ts";
import { openWintunLine } from "./windows/wintun_line.ts";

/** In the thread that carries packets: libraries are opened once more, as they cannot be sent. */
export function openPacketLine(config: LineConfig): PacketLine {
  if (config.kind === "posix") return openPosixLine(config, openLibc());
  return openWintunLine(config, {
    wintun: openWintunApi(config.library).symbols,
    windows: openWindowsApi().symbols,
  });
}
