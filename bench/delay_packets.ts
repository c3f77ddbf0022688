// A long cable: two TUN devices of one network namespace, which is made a way between two by moving one
// of them. What goes into one comes out of the other that much later, in order, both ways. Packets are of
// up to 64 KiB, as the kernel hands them over before it cuts them up. Prints a line when the devices are
// there; ends when killed, and the devices with it. Linux, as root.
//
//   delay_packets.ts NEAR FAR ONE_WAY_MS
import { TunDevice } from "../src/net/tun/linux/tun_device.ts";
import { MAX_FRAME_BYTES } from "../src/net/tun/packets/vnet_header.ts";

/** What is on its way in one direction. At 50 ms that is 1.2 GiB/s; what is more is lost, as in a router. */
const MAX_IN_FLIGHT_BYTES = 64 * 2 ** 20;
/** As many are taken before it is looked what is due. */
const MOST_AT_ONCE = 64;
const POLLIN = 1;
const POLL_BYTES = 8;

/** One direction: a ring of frames. */
class Direction {
  readonly #ring = new Uint8Array(MAX_IN_FLIGHT_BYTES);
  readonly #frames: { at: number; length: number; dueMs: number }[] = [];
  readonly #from: TunDevice;
  readonly #to: TunDevice;
  readonly #oneWayMs: number;

  constructor(from: TunDevice, to: TunDevice, oneWayMs: number) {
    this.#from = from;
    this.#to = to;
    this.#oneWayMs = oneWayMs;
  }

  /** @returns when the first of those on their way is due. */
  get dueMs(): number {
    return this.#frames[0]?.dueMs ?? Infinity;
  }

  take(): void {
    const { fd, libc: { symbols: { read } } } = this.#from;
    for (let count = 0; count < MOST_AT_ONCE; count++) {
      const at = this.#room();
      const room = at === undefined ? LOST : this.#ring.subarray(at);
      const length = Number(read(fd, room, BigInt(MAX_FRAME_BYTES)));
      if (length <= 0) return;
      const dueMs = performance.now() + this.#oneWayMs;
      if (at !== undefined) this.#frames.push({ at, length, dueMs });
    }
  }

  deliver(): void {
    const now = performance.now();
    while (this.dueMs <= now) {
      const { at, length } = this.#frames.shift()!;
      this.#to.write(this.#ring.subarray(at, at + length));
    }
  }

  /** Where the largest frame has room; undefined if the ring is full. */
  #room(): number | undefined {
    const [first, last] = [this.#frames[0], this.#frames.at(-1)];
    if (first === undefined || last === undefined) return 0;
    const at = last.at + last.length;
    const fits = (end: number) => at + MAX_FRAME_BYTES <= end;
    if (last.at < first.at) return fits(first.at) ? at : undefined;
    if (fits(this.#ring.length)) return at;
    return MAX_FRAME_BYTES <= first.at ? 0 : undefined;
  }
}

const LOST = new Uint8Array(MAX_FRAME_BYTES);
const [near = "", far = "", oneWay] = Deno.args;
const devices = [new TunDevice(near), new TunDevice(far)] as const;
const [a, b] = devices;
const oneWayMs = Number(oneWay);
const directions = [
  new Direction(a, b, oneWayMs),
  new Direction(b, a, oneWayMs),
];
const polled = new Uint8Array(devices.length * POLL_BYTES);
const view = new DataView(polled.buffer);
devices.forEach(({ fd }, i) => {
  view.setInt32(i * POLL_BYTES, fd, true);
  view.setInt16(i * POLL_BYTES + 4, POLLIN, true);
});
console.log("ready");
for (;;) {
  for (const direction of directions) {
    direction.take();
    direction.deliver();
  }
  const dueMs = Math.min(...directions.map(({ dueMs }) => dueMs));
  const waitMs = Math.ceil(dueMs - performance.now());
  const timeoutMs = dueMs === Infinity ? -1 : Math.max(0, waitMs);
  a.libc.symbols.poll(polled, BigInt(devices.length), timeoutMs);
}
