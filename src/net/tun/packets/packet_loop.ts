import { FlowTable } from "./flow_table.ts";
import { type PacketIo, READ, WOKEN } from "./packet_io.ts";
import { type FamilyEnds, PacketRewriter, VERDICT } from "./packet_rewriter.ts";
import { VNET_HEADER_BYTES } from "./vnet_header.ts";

/** What the main thread tells: two 16-bit numbers, one of these and that of a flow. */
export const COMMAND = {
  /** The cluster took it: its SYN goes on to the listener. */
  open: 1,
  /** The process has closed it. */
  close: 2,
  /** The cluster did not take it. */
  remove: 3,
} as const;

export interface PacketLoopConfig {
  readonly ends: { readonly 4: FamilyEnds; readonly 6?: FamilyEnds };
  /** How many packets the main thread was given and has not taken yet. */
  readonly waiting: Int32Array<SharedArrayBuffer>;
}

/** What the main thread is told. */
export type PacketLoopMessage =
  | { readonly kind: "ask"; readonly flow: number; readonly packet: Uint8Array }
  | { readonly kind: "other"; readonly packet: Uint8Array }
  /** The packet loop has ended; `lost` if it was not told to. */
  | { readonly kind: "end"; readonly lost: boolean };

/** More are dropped, as by any queue that is full. */
const MOST_WAITING = 4096;
/** Packets between two looks at the commands. */
const BURST = 64;
const EXPIRE_EVERY_MS = 5_000;

/** Carries packets until the commands end or the device is gone. It blocks its thread. */
export function runPacketLoop(
  { ends, waiting }: PacketLoopConfig,
  io: PacketIo,
  post: (message: PacketLoopMessage) => void,
): void {
  const { frame, orders } = io;
  const table = new FlowTable();
  const rewriter = new PacketRewriter(table, ends);
  const held = new Map<number, Uint8Array<ArrayBuffer>>();
  let now = performance.now();
  let expireAt = now + EXPIRE_EVERY_MS;

  const handle = (length: number) => {
    const verdict = rewriter.handle(frame, length, now);
    if (verdict === VERDICT.write) {
      io.writeBack(length);
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
    io.write(syn);
  };

  for (;;) {
    let burst = 0;
    for (; burst < BURST; burst++) {
      const length = io.read();
      if (length === READ.nothing) break;
      if (length === READ.gone) return post({ kind: "end", lost: true });
      if (length > VNET_HEADER_BYTES) handle(length);
    }
    const isBusy = burst === BURST;
    const timeoutMs = isBusy ? 0 : table.hasClosed ? EXPIRE_EVERY_MS : -1;
    const woken = io.wait(timeoutMs);
    now = performance.now();
    if (now >= expireAt) {
      table.expire(now);
      expireAt = now + EXPIRE_EVERY_MS;
    }
    if (woken & WOKEN.gone) return post({ kind: "end", lost: true });
    if ((woken & WOKEN.commands) === 0) continue;
    const count = io.takeCommands();
    if (count < 0) return post({ kind: "end", lost: false });
    for (let at = 0; at < count; at += 2) obey(orders[at]!, orders[at + 1]!);
  }
}
