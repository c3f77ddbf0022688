import type { Socket } from "node:net";
import { type Duplex, PassThrough } from "node:stream";
import { Cancelled, LinkError, messageOf } from "../../../core/errors.ts";
import { relay, reset } from "../../../link/wire/relay.ts";
import type { Destination } from "../../capture/original_destination.ts";
import { Cidr } from "../../cidr.ts";
import type { ClusterLink } from "../../../link/wire/cluster_link.ts";
import { addressText } from "./address_text.ts";
import { icmpError } from "./icmp_error.ts";
import { type IpPacket, word } from "./ip_packet.ts";
import type { PacketCarrier } from "../packet_carrier.ts";
import { tcpReset } from "./tcp_reset.ts";

export type OnRefused = (destination: Destination, error: LinkError) => void;

/** Applications wait two minutes at most. */
const DIAL_MS = 120_000;
/** From the SYN to the local listener until it is accepted: an application may have gone meanwhile. */
const ACCEPT_MS = 15_000;

interface Dialled {
  readonly stream: Duplex;
  readonly timer: ReturnType<typeof setTimeout>;
}

export interface TcpFlowsOptions {
  readonly link: Pick<ClusterLink, "dial">;
  readonly carrier: Pick<PacketCarrier, "command" | "inject">;
  /** The other end of the device, by family: where accepted connections seem to come from. */
  readonly peers: readonly string[];
  readonly onRefused?: OnRefused;
}

/** Of the device's other end: what connects there proves that connections get through. */
export const PROOF_PORT = 1;

/** Connections from their first packet until both sides are closed. */
export class TcpFlows implements AsyncDisposable {
  readonly #options: TcpFlowsOptions;
  readonly #peers: readonly Cidr[];
  readonly #dialled = new Map<number, Dialled>();
  readonly #open = new Map<Socket, Promise<void>>();
  readonly #dialling = new Set<AbortController>();
  #hasEnded = false;

  constructor(options: TcpFlowsOptions) {
    this.#options = options;
    this.#peers = options.peers.map(Cidr.parse);
  }

  /** Those that are open on both sides. */
  get size(): number {
    return this.#open.size;
  }

  /** Somebody wants to connect. The application sees what the cluster says. */
  async ask(flow: number, packet: IpPacket): Promise<void> {
    const { link, carrier, onRefused } = this.#options;
    const destination = {
      host: addressText(packet.destination),
      port: word(packet.payload, 2),
    };
    try {
      const stream = await this.#dial(link, destination);
      stream.on("error", () => {}); // whoever accepts it, sees that it is closed
      const timer = setTimeout(() => this.#giveUp(flow), ACCEPT_MS);
      this.#dialled.set(flow, { stream, timer });
      carrier.command("open", flow);
    } catch (error) {
      const isRefused = error instanceof LinkError &&
        error.code === "DIAL_REFUSED";
      carrier.inject(isRefused ? tcpReset(packet) : icmpError(packet, "host"));
      carrier.command("remove", flow);
      if (this.#hasEnded) return;
      onRefused?.(
        destination,
        error instanceof LinkError
          ? error
          : new LinkError("DIAL_FAILED", `Cannot connect: ${messageOf(error)}`),
      );
    }
  }

  async #dial(
    link: Pick<ClusterLink, "dial">,
    { host, port }: Destination,
  ): Promise<Duplex> {
    const isOwn = this.#peers.some((peer) => peer.equals(Cidr.parse(host)));
    if (isOwn) {
      if (port === PROOF_PORT) return new PassThrough();
      throw new LinkError("DIAL_REFUSED", "Cannot connect: nothing answers");
    }
    const controller = new AbortController();
    const { signal } = controller;
    const timer = setTimeout(() => controller.abort(), DIAL_MS);
    this.#dialling.add(controller);
    try {
      const stream = await link.dial(host, port, { signal });
      if (!signal.aborted) return stream;
      stream.on("error", () => {});
      reset(stream);
      throw new Cancelled();
    } finally {
      clearTimeout(timer);
      this.#dialling.delete(controller);
    }
  }

  /** A connection that the local listener got. */
  async accept(socket: Socket): Promise<void> {
    socket.on("error", () => {}); // "close" follows
    const flow = socket.remotePort ?? 0;
    const peer = Cidr.tryParse(socket.remoteAddress ?? "");
    const dialled = this.#dialled.get(flow);
    const isOurs = peer !== undefined &&
      this.#peers.some((one) => one.equals(peer));
    if (dialled === undefined || !isOurs) return reset(socket);
    this.#dialled.delete(flow);
    clearTimeout(dialled.timer);
    const relayed = relay(socket, dialled.stream);
    this.#open.set(socket, relayed);
    socket.once(
      "close",
      () => this.#options.carrier.command("close", flow),
    );
    await relayed;
    this.#open.delete(socket);
  }

  /** Nobody came for it. */
  #giveUp(flow: number): void {
    const dialled = this.#dialled.get(flow);
    if (dialled === undefined) return;
    this.#dialled.delete(flow);
    clearTimeout(dialled.timer);
    reset(dialled.stream);
    this.#options.carrier.command("close", flow);
  }

  /** Resets everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#hasEnded = true;
    for (const controller of this.#dialling) controller.abort(new Cancelled());
    for (const flow of [...this.#dialled.keys()]) this.#giveUp(flow);
    for (const socket of this.#open.keys()) reset(socket);
    await Promise.all(this.#open.values());
  }
}
