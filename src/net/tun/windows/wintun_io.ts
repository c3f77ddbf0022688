import { CommandRing } from "../packets/command_ring.ts";
import { type PacketIo, READ, WOKEN } from "../packets/packet_io.ts";
import { MAX_FRAME_BYTES, VNET_HEADER_BYTES } from "../packets/vnet_header.ts";
import type { WindowsCalls } from "./windows_api.ts";
import type { WintunCalls } from "./wintun_api.ts";

export interface WintunIoConfig {
  readonly kind: "wintun";
  /** Path of wintun.dll. */
  readonly library: string;
  /** Handle of wintun's session, which is that of the whole process. */
  readonly session: bigint;
  /** Handle of the event that wintun sets when packets have come. */
  readonly packetEvent: bigint;
  /** Handle of the event that is set when commands have come, or their end. */
  readonly commandEvent: bigint;
  /** That of a {@link CommandRing}. */
  readonly commands: SharedArrayBuffer;
}

/** How {@link openWintunIo} reaches the system; in tests, what stands for it. */
export interface WintunIoCalls {
  readonly wintun: Pick<
    WintunCalls,
    | "WintunReceivePacket"
    | "WintunReleaseReceivePacket"
    | "WintunAllocateSendPacket"
    | "WintunSendPacket"
  >;
  readonly windows: Pick<
    WindowsCalls,
    "GetLastError" | "WaitForMultipleObjects" | "copyIn" | "copyOut"
  >;
}

/** Of winerror.h: the adapter has gone, and its memory makes no sense. */
const ERROR_HANDLE_EOF = 38;
const ERROR_INVALID_DATA = 13;

const INFINITE = 0xffff_ffff;
const WAIT_FAILED = 0xffff_ffff;
const COMMANDS_AT_ONCE = 1024;

/**
 * Of a wintun adapter: a ring in memory, of which packets are copied. Nothing is in front
 * of a packet, so the room for the vnet header stays empty, and checksums are complete.
 */
export function openWintunIo(
  config: WintunIoConfig,
  { wintun, windows }: WintunIoCalls,
): PacketIo {
  const { session } = config;
  const ring = new CommandRing(config.commands);
  const frame = new Uint8Array(MAX_FRAME_BYTES);
  const room = frame.subarray(VNET_HEADER_BYTES);
  const size = new Uint32Array(1);
  const sizeBytes = new Uint8Array(size.buffer);
  const orders = new Uint16Array(COMMANDS_AT_ONCE * 2);
  const events = new Uint8Array(
    BigUint64Array.of(config.commandEvent, config.packetEvent).buffer,
  );
  const send = (packet: Uint8Array<ArrayBuffer>) =>
    sendByWintun(session, packet, { wintun, windows });
  return {
    frame,
    orders,
    read() {
      const packet = wintun.WintunReceivePacket(session, sizeBytes);
      if (packet === 0n) {
        const code = windows.GetLastError();
        return code === ERROR_HANDLE_EOF || code === ERROR_INVALID_DATA
          ? READ.gone
          : READ.nothing;
      }
      const length = size[0]!;
      windows.copyIn(room, packet, BigInt(length));
      wintun.WintunReleaseReceivePacket(session, packet);
      return VNET_HEADER_BYTES + length;
    },
    writeBack: (length) => send(frame.subarray(VNET_HEADER_BYTES, length)),
    write: (other) => send(other.subarray(VNET_HEADER_BYTES)),
    wait(timeoutMs) {
      const ms = timeoutMs < 0 ? INFINITE : timeoutMs;
      // what came before this is not waited for: an event stays set until somebody has waited
      const seen = windows.WaitForMultipleObjects(2, events, 0, ms);
      return (seen === WAIT_FAILED ? WOKEN.gone : 0) |
        (ring.isWaiting ? WOKEN.commands : 0);
    },
    takeCommands: () => ring.take(orders),
  };
}

/** Gives a packet to the kernel; any thread may. Where wintun's ring is full, it is lost. */
export function sendByWintun(
  session: bigint,
  packet: Uint8Array<ArrayBuffer>,
  { wintun, windows }: {
    readonly wintun: Pick<
      WintunCalls,
      "WintunAllocateSendPacket" | "WintunSendPacket"
    >;
    readonly windows: Pick<WindowsCalls, "copyOut">;
  },
): void {
  const place = wintun.WintunAllocateSendPacket(session, packet.length);
  if (place === 0n) return;
  windows.copyOut(place, packet, BigInt(packet.length));
  wintun.WintunSendPacket(session, place);
}
