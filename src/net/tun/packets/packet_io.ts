/** Reads and writes a device's packets, in the thread of the packet loop. Each system has one form of it. */

/** What {@link PacketIo.read} returns where there is no packet. */
export const READ = {
  /** None waits now. */
  nothing: -1,
  /** The device has gone. */
  gone: 0,
} as const;

/** What {@link PacketIo.wait} has seen, as bits. */
export const WOKEN = {
  commands: 1,
  /** The device has gone. */
  gone: 2,
} as const;

export interface PacketIo {
  /** Room for one packet, behind that for the vnet header: what {@link read} fills. */
  readonly frame: Uint8Array<ArrayBuffer>;
  /** Room for commands, two numbers each: what {@link takeCommands} fills. */
  readonly orders: Uint16Array;
  /**
   * The next packet.
   *
   * @returns where it ends in `frame`, or one of {@link READ}. It never blocks.
   */
  read(): number;
  /** Sends the packet in `frame`, which ends at `length`. What is not taken is lost, as in any network. */
  writeBack(length: number): void;
  /** Sends a packet out of a frame of its own. */
  write(frame: Uint8Array<ArrayBuffer>): void;
  /**
   * Blocks until there is a packet or a command, or `timeoutMs` have passed; -1 is for ever.
   *
   * @returns bits of {@link WOKEN}.
   */
  wait(timeoutMs: number): number;
  /** @returns how many numbers there are in `orders`; -1 at the end of the commands. */
  takeCommands(): number;
}
