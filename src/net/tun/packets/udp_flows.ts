import { Cancelled, LinkError } from "../../../core/errors.ts";
import type {
  ClusterLink,
  DatagramChannel,
} from "../../../link/wire/cluster_link.ts";
import { addressText } from "./address_text.ts";
import { icmpError, type IcmpErrorKind } from "./icmp_error.ts";
import type { IpPacket } from "./ip_packet.ts";
import { answerDatagram, type Datagram, parseDatagram } from "./udp_packet.ts";

const IDLE_MS = 60_000;
/** One question, one answer. */
const DNS_IDLE_MS = 10_000;
const DNS_PORT = 53;
const LOOK_EVERY_MS = 1_000;
/** The one that was idle for longest goes. */
const MOST_FLOWS = 1024;
/** Of a flow whose channel is not open yet. */
const MOST_WAITING = 64;

interface Flow {
  /** The last packet, which errors are about. */
  packet: IpPacket;
  readonly ports: Omit<Datagram, "data">;
  channel?: DatagramChannel;
  readonly waiting: Uint8Array[];
  readonly ended: AbortController;
  usedAt: number;
}

export interface UdpFlowsOptions {
  readonly link: Pick<ClusterLink, "openDatagrams">;
  /** Writes a packet to the device. */
  readonly inject: (frame: Uint8Array | undefined) => void;
}

/** Sockets in the cluster for those of this machine: one for each pair that talks. */
export class UdpFlows implements Disposable {
  readonly #options: UdpFlowsOptions;
  /** In the order of their use. */
  readonly #flows = new Map<string, Flow>();
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(options: UdpFlowsOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.dropIdle(), LOOK_EVERY_MS);
  }

  get size(): number {
    return this.#flows.size;
  }

  /** What an application sends. */
  take(packet: IpPacket): void {
    const datagram = parseDatagram(packet);
    if (datagram === undefined) return;
    const { data, ...ports } = datagram;
    const { source, destination } = packet;
    const key =
      `${source} ${ports.sourcePort} ${destination} ${ports.destinationPort}`;
    const flow = this.#flows.get(key) ?? {
      packet,
      ports,
      waiting: [],
      ended: new AbortController(),
      usedAt: 0,
    };
    const isNew = !this.#flows.delete(key);
    flow.packet = packet;
    flow.usedAt = performance.now();
    this.#flows.set(key, flow);
    if (flow.channel !== undefined) flow.channel.send(data);
    else if (flow.waiting.length < MOST_WAITING) flow.waiting.push(data);
    if (!isNew) return;
    if (this.#flows.size > MOST_FLOWS) {
      this.#end(this.#flows.keys().next().value!);
    }
    this.#open(key, flow).catch((error) => {
      if (!flow.ended.signal.aborted) this.#fail(key, flow, kindOf(error));
    });
  }

  async #open(key: string, flow: Flow): Promise<void> {
    const { link, inject } = this.#options;
    const { signal } = flow.ended;
    const host = addressText(flow.packet.destination);
    const channel = await link.openDatagrams(host, flow.ports.destinationPort, {
      signal,
    });
    if (signal.aborted) return channel.close();
    channel.onMessage = (data) => {
      flow.usedAt = performance.now();
      inject(answerDatagram(flow.packet, flow.ports, data));
    };
    flow.channel = channel;
    for (const data of flow.waiting.splice(0)) channel.send(data);
    const end = await channel.closed;
    if (signal.aborted) return;
    if (end === "refused") this.#fail(key, flow, "port");
    else this.#end(key);
  }

  #fail(key: string, flow: Flow, kind: IcmpErrorKind): void {
    this.#options.inject(icmpError(flow.packet, kind));
    this.#end(key);
  }

  #end(key: string): void {
    const flow = this.#flows.get(key);
    this.#flows.delete(key);
    flow?.ended.abort(new Cancelled());
    flow?.channel?.close();
  }

  /** Once a second. */
  dropIdle(now = performance.now()): void {
    for (const [key, { usedAt, ports }] of this.#flows) {
      const idle = ports.destinationPort === DNS_PORT ? DNS_IDLE_MS : IDLE_MS;
      if (now - usedAt >= idle) this.#end(key);
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    for (const key of [...this.#flows.keys()]) this.#end(key);
  }
}

function kindOf(error: unknown): IcmpErrorKind {
  return error instanceof LinkError && error.code === "DIAL_REFUSED"
    ? "port"
    : "host";
}
