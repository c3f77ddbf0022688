import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import {
  DatagramSender,
  type Destination,
} from "../../link/wire/datagram_sender.ts";
import type {
  ClusterLink,
  DatagramChannel,
} from "../../link/wire/cluster_link.ts";
import {
  formatSocksAddress,
  parseSocksAddress,
  type SocksAddress,
} from "./socks_address.ts";

export interface SocksRelayOptions {
  /** Address of this machine that the client speaks to. */
  readonly host: string;
  /** Who may use it; port 0: any port of that host. */
  readonly client: SocksAddress;
  readonly link: ClusterLink;
}

/** The least recently used one makes room. */
const MOST_FLOWS = 256;
/** Datagrams that wait for their flow to open. */
const MOST_WAITING = 16;
/** RFC 1928, section 7: two reserved bytes and the fragment's number. */
const HEADER_BYTES = 3;

/** Datagrams of one client port to one peer. */
interface Flow {
  channel: DatagramChannel | undefined;
  readonly waiting: Uint8Array[];
  readonly opening: AbortController;
}

/** The UDP socket of one association: unpacks a client's datagrams, and packs the answers. */
export class SocksRelay {
  readonly #socket: Socket;
  readonly #sender: DatagramSender;
  readonly #options: SocksRelayOptions;
  readonly #flows = new Map<string, Flow>();
  #isClosed = false;

  private constructor(socket: Socket, options: SocksRelayOptions) {
    this.#socket = socket;
    this.#sender = new DatagramSender(socket);
    this.#options = options;
    socket.on("error", () => {}); // one datagram that could not be sent
    socket.on("message", (data, from) => this.#onMessage(data, from));
  }

  static async open(options: SocksRelayOptions): Promise<SocksRelay> {
    const socket = createSocket(isIPv6(options.host) ? "udp6" : "udp4");
    socket.bind(0, options.host);
    await once(socket, "listening");
    return new SocksRelay(socket, options);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#sender.close();
    for (const key of [...this.#flows.keys()]) this.#drop(key);
  }

  #onMessage(
    data: Uint8Array,
    from: Destination,
  ): void {
    const { client } = this.#options;
    if (from.address !== client.host) return;
    if (client.port !== 0 && from.port !== client.port) return;
    // fragments are optional, and nobody sends them
    if (data.length < HEADER_BYTES || data[2] !== 0) return;
    const parsed = parseSocksAddress(data.subarray(HEADER_BYTES));
    if (parsed === undefined || parsed.address.port === 0) return;
    const { address, length } = parsed;
    // a copy: it may wait, and the socket's buffer is not ours
    this.#send(new Uint8Array(data.subarray(HEADER_BYTES + length)), {
      address,
      to: from,
    });
  }

  #send(
    payload: Uint8Array,
    flow: { address: SocksAddress; to: Destination },
  ): void {
    const { host, port } = flow.address;
    const key = `${flow.to.port} ${host} ${port}`;
    const known = this.#flows.get(key) ?? this.#open(key, flow);
    this.#flows.delete(key);
    this.#flows.set(key, known); // now the most recently used one
    if (known.channel !== undefined) known.channel.send(payload);
    else if (known.waiting.length < MOST_WAITING) known.waiting.push(payload);
  }

  #open(
    key: string,
    { address, to }: { address: SocksAddress; to: Destination },
  ): Flow {
    const [oldest] = this.#flows.keys();
    if (this.#flows.size >= MOST_FLOWS) this.#drop(oldest!);
    const opening = new AbortController();
    const flow: Flow = { channel: undefined, waiting: [], opening };
    const header = Uint8Array.from([0, 0, 0, ...formatSocksAddress(address)]);
    const forget = () => {
      if (this.#flows.get(key) === flow) this.#flows.delete(key);
    };
    this.#options.link.openDatagrams(address.host, address.port, {
      signal: opening.signal,
    }).then((channel) => {
      flow.channel = channel;
      channel.onMessage = (data) => {
        const packed = new Uint8Array(header.length + data.length);
        packed.set(header);
        packed.set(data, header.length);
        this.#sender.send(packed, to);
      };
      for (const payload of flow.waiting.splice(0)) channel.send(payload);
      return channel.closed;
    }).then(forget, forget); // UDP has no word for a failure
    return flow;
  }

  #drop(key: string): void {
    const flow = this.#flows.get(key);
    this.#flows.delete(key);
    flow?.opening.abort();
    flow?.channel?.close();
  }
}
