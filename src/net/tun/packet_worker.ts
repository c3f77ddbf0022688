// Runs as a Worker: everything it needs comes with the first message, and then it blocks its thread
// until the pump ends. Bundled into one text for dist/ktctl.js: see start_packet_worker.ts.
import { openLibc } from "./libc.ts";
import {
  type PumpConfig,
  type PumpMessage,
  pumpPackets,
} from "./packet_pump.ts";

interface WorkerScope {
  onmessage: ((event: MessageEvent<PumpConfig>) => void) | null;
  postMessage(message: PumpMessage): void;
}

const scope = globalThis as unknown as WorkerScope;

scope.onmessage = ({ data }) => {
  pumpPackets(data, openLibc(), (message) => scope.postMessage(message));
};
