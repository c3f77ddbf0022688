// Runs as a Worker: everything it needs comes with the first message, and then it blocks its thread
// until the pump ends. Bundled into one text for dist/ktctl.js: see start_packet_worker.ts.
import { openPacketLine } from "./open_packet_line.ts";
import type { LineConfig } from "./packets/packet_device.ts";
import {
  type PumpConfig,
  type PumpMessage,
  pumpPackets,
} from "./packets/packet_pump.ts";

/** The message that begins the work. */
export interface PacketWork extends PumpConfig {
  readonly line: LineConfig;
}

interface WorkerScope {
  onmessage: ((event: MessageEvent<PacketWork>) => void) | null;
  postMessage(message: PumpMessage): void;
}

const scope = globalThis as unknown as WorkerScope;

scope.onmessage = ({ data }) => {
  const line = openPacketLine(data.line);
  pumpPackets(data, line, (message) => scope.postMessage(message));
};
