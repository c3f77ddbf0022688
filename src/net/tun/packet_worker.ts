// Runs as a Worker: everything it needs comes with the first message, and then it blocks its thread
// until the packet loop ends. Bundled into one text for dist/ktctl.js: see start_packet_worker.ts.
import { openPacketIo } from "./open_packet_io.ts";
import type { PacketIoConfig } from "./packets/packet_device.ts";
import {
  type PacketLoopConfig,
  type PacketLoopMessage,
  runPacketLoop,
} from "./packets/packet_loop.ts";

/** The message that begins the work. */
export interface PacketWork extends PacketLoopConfig {
  readonly io: PacketIoConfig;
}

interface WorkerScope {
  onmessage: ((event: MessageEvent<PacketWork>) => void) | null;
  postMessage(message: PacketLoopMessage): void;
}

const scope = globalThis as unknown as WorkerScope;

scope.onmessage = ({ data }) => {
  const io = openPacketIo(data.io);
  runPacketLoop(data, io, (message) => scope.postMessage(message));
};
