import { FlowTable } from "./flow_table.ts";
import type { Libc } from "./libc.ts";
import { type FamilyEnds, PacketRewriter, VERDICT } from "./packet_rewriter.ts";
import { UTUN_HEADER_BYTES, writeUtunHeader } from "./utun_header.ts";
import { MAX_FRAME_BYTES, VNET_HEADER_BYTES } from "./vnet_header.ts";

/** What the main thread tells by the pipe: two 16-bit numbers, one of these and that of a flow. */
export const COMMAND = {
  /** The cluster took it: its SYN goes on to the listener. */
  open: 1,
  /** The process has closed it. */
  close: 2,
  /** The cluster did not take it. */
  remove: 3,
} as const;
export const COMMAND_BYTES = 4;

export interface PumpConfig {
  /** Of the device, not blocking. */
  readonly fd: number;
  /** What the device has in front of each packet. */
  readonly headerBytes: number;
  /** The end of a pipe to read commands from. Its end is that of the pump. */
  readonly commands: number;
  readonly ends: { readonly 4: FamilyEnds; readonly 6?: FamilyEnds };
  /** How many packets the main thread was given and has not taken yet. */
  readonly waiting: Int32Array<SharedArrayBuffer>;
}

/** What the main thread is told. */
export type PumpMessage =
  | { readonly kind: "ask"; readonly flow: number; readonly packet: Uint8Array }
  | { readonly kind: "other"; readonly packet: Uint8Array }
  /** The pump has ended; `lost` if it was not told to. */
  | { readonly kind: "end"; readonly lost: boolean };

/** More are dropped, as by any queue that is full. */
const MOST_WAITING = 4096;
/** Packets between two looks at the commands. */
const BURST = 64;
const EXPIRE_EVERY_MS = 5_000;

const POLLIN = 1;
const POLL_BYTES = 8;
const COMMANDS_AT_ONCE = 1024;

/** Carries packets until the pipe ends or the device is gone. It blocks its thread. */
export function pumpPackets(
  config: PumpConfig,
  { symbols: { read, write, poll } }: Libc,
  post: (message: PumpMessage) => void,
): void {
  const { fd, headerBytes, commands, waiting } = config;
  const table = new FlowTable();
  const rewriter = new PacketRewriter(table, config.ends);
  const frame = new Uint8Array(MAX_FRAME_BYTES);
  // a shorter header than the vnet header is the end of its room
  const skipped = VNET_HEADER_BYTES - headerBytes;
  const line = frame.subarray(skipped);
  const capacity = BigInt(line.length);
  const held = new Map<number, Uint8Array<ArrayBuffer>>();
  const orders = new Uint16Array(COMMANDS_AT_ONCE * 2);
  const orderBytes = new Uint8Array(orders.buffer);
  const polled = new Uint8Array(2 * POLL_BYTES);
  const view = new DataView(polled.buffer);
  view.setInt32(0, fd, true);
  view.setInt16(4, POLLIN, true);
  view.setInt32(POLL_BYTES, commands, true);
  view.setInt16(POLL_BYTES + 4, POLLIN, true);
  let now = performance.now();
  let expireAt = now + EXPIRE_EVERY_MS;

  const isUtun = headerBytes === UTUN_HEADER_BYTES;
  const handle = (length: number) => {
    const verdict = rewriter.handle(frame, length, now);
    if (verdict === VERDICT.write) {
      if (isUtun) writeUtunHeader(frame);
      write(fd, line, BigInt(length - skipped));
    } else if (verdict !== VERDICT.drop) {
      const flow = verdict === VERDICT.ask ? rewriter.flow : 0;
      if (Atomics.load(waiting, 0) >= MOST_WAITING) {
        if (flow !== 0) table.remove(flow);
        return;
      }
      Atomics.add(waiting, 0, 1);
      const packet = frame.slice(VNET_HEADER_BYTES, length);
      if (flow === 0) return post({ kind: "other", packet });
      held.set(flow, frame.slice(0, length));
      post({ kind: "ask", flow, packet });
    }
  };
  const obey = (command: number, flow: number) => {
    if (command === COMMAND.close) return table.close(flow, now);
    const syn = held.get(flow);
    held.delete(flow);
    if (command === COMMAND.remove) return table.remove(flow);
    if (syn === undefined) return;
    table.open(flow);
    rewriter.rewrite(syn, flow);
    if (isUtun) writeUtunHeader(syn);
    write(fd, syn.subarray(skipped), BigInt(syn.length - skipped));
  };

  for (;;) {
    let burst = 0;
    for (; burst < BURST; burst++) {
      const length = Number(read(fd, line, capacity));
      if (length < 0) break;
      if (length === 0) return post({ kind: "end", lost: true });
      if (length > headerBytes) handle(length + skipped);
    }
    const isBusy = burst === BURST;
    const timeout = isBusy ? 0 : table.hasClosed ? EXPIRE_EVERY_MS : -1;
    poll(polled, 2n, timeout);
    now = performance.now();
    if (now >= expireAt) {
      table.expire(now);
      expireAt = now + EXPIRE_EVERY_MS;
    }
    // an error, a hang-up, or no such descriptor
    if (view.getInt16(6, true) & ~POLLIN) {
      return post({ kind: "end", lost: true });
    }
    if (view.getInt16(POLL_BYTES + 6, true) === 0) continue;
    // a pipe takes and gives commands whole: they are shorter than what it does at once
    const length = Number(
      read(commands, orderBytes, BigInt(orderBytes.length)),
    );
    if (length <= 0) return post({ kind: "end", lost: false });
    for (let at = 0; at < length / 2; at += 2) {
      obey(orders[at]!, orders[at + 1]!);
    }
  }
}
