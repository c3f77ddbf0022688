import { hostPort } from "../../core/host_port.ts";
import type { Duplex } from "node:stream";
import { Cancelled, LinkError } from "../../core/errors.ts";
import type { LaptopEnd, OfferedConnection } from "../wire/laptop_end.ts";
import { relay } from "../wire/relay.ts";
import { within } from "../../core/within.ts";
import type { ResolvConf } from "../wire/resolv_conf.ts";
import {
  formatServiceHost,
  parseServiceHost,
  type ServiceHost,
} from "../wire/service_host.ts";
import type { CallLinkOptions, DatagramChannel } from "../wire/cluster_link.ts";
import { DatagramStream } from "./datagram_stream.ts";
import { dialError } from "./dial_error.ts";
import { DnsStream } from "./dns_stream.ts";
import { linkReason } from "./link_reason.ts";
import { readResolver } from "./read_resolver.ts";
import type {
  AttachOptions,
  ConnectLocal,
  ForwardedListener,
  Link,
} from "./link.ts";

/** How long the agent may take to confirm that it detached, when the link is about to end. */
const DETACH_TIMEOUT_MS = 1000;
/** How long the agent may take to read a file. */
const ANSWER_TIMEOUT_MS = 10_000;
/** How long the agent's end of the connection is waited for: through a port-forward it often never comes. */
const END_TIMEOUT_MS = 200;

/** What a logged-in connection to the agent is used for, whatever is spoken on it. */
export class ClientLink implements Link {
  readonly closed: Promise<LinkError | undefined>;
  readonly #end: LaptopEnd;
  readonly #attached = new Map<
    number,
    { connectLocal: ConnectLocal; options: AttachOptions }
  >();
  readonly #listeners = new Set<ForwardedListener>();
  readonly #idle: (() => void)[] = [];
  #connections = 0;
  #dns: Promise<DnsStream> | undefined;
  #closing: Promise<void> | undefined;

  constructor(end: LaptopEnd) {
    this.#end = end;
    this.closed = end.closed.then((cause) =>
      this.#closing ? undefined : linkLost(cause)
    );
    end.onConnection = (offered) => void this.#take(offered);
  }

  get connections(): number {
    return this.#connections;
  }

  get heardAt(): number {
    return this.#end.heardAt;
  }

  onForwarded(listener: ForwardedListener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  async attach(
    port: number,
    connectLocal: ConnectLocal,
    options: AttachOptions = {},
  ): Promise<void> {
    await this.#assertOpen();
    // Before the request: a connection can arrive in the same turn as the confirmation.
    this.#attached.set(port, { connectLocal, options });
    try {
      await this.#end.attach(port);
    } catch (error) {
      this.#attached.delete(port);
      await this.#assertOpen();
      throw new LinkError(
        "ATTACH_REFUSED",
        `Agent refused to hand over port "${port}"`,
        {
          hint:
            "The port is not in the agent's configuration, or the pod is stopping.",
          cause: error,
        },
      );
    }
  }

  async detach(port: number): Promise<void> {
    if (this.#attached.delete(port)) await this.#end.detach(port);
  }

  async dial(host: string, port: number): Promise<Duplex> {
    const stream = await this.#open({ host, port });
    stream.once("close", () => this.#count(-1));
    this.#count(1);
    return stream;
  }

  async openDatagrams(host: string, port: number): Promise<DatagramChannel> {
    const stream = await this.#openService({ service: "udp", host }, port);
    return new DatagramStream(stream, () => this.#end.isClosed);
  }

  async resolve(
    query: Uint8Array,
    { signal }: CallLinkOptions = {},
  ): Promise<Uint8Array> {
    try {
      return await (await this.#dnsStream()).ask(query, signal);
    } catch (error) {
      if (!(error instanceof Cancelled)) await this.#assertOpen();
      throw error;
    }
  }

  async resolver(): Promise<ResolvConf> {
    const stream = await this.#openService({ service: "resolver" });
    stream.end();
    return await readResolver(stream, ANSWER_TIMEOUT_MS);
  }

  async isReachable(host: string): Promise<boolean> {
    try {
      (await this.#openService({ service: "reach", host })).destroy();
      return true;
    } catch (error) {
      await this.#assertOpen();
      if (error instanceof LinkError) return false;
      throw error;
    }
  }

  /** One for all questions. */
  async #dnsStream(): Promise<DnsStream> {
    this.#dns ??= this.#openService({ service: "dns" }).then((stream) =>
      new DnsStream(stream)
    );
    const opening = this.#dns;
    const forget = () => {
      if (this.#dns === opening) this.#dns = undefined;
    };
    try {
      const stream = await opening;
      if (stream.isOpen) return stream;
    } catch (error) {
      forget();
      throw error;
    }
    forget();
    return await this.#dnsStream();
  }

  #openService(target: ServiceHost, port = 0): Promise<Duplex> {
    return this.#open({ host: formatServiceHost(target), port });
  }

  async #open(
    { host, port }: { host: string; port: number },
  ): Promise<Duplex> {
    await this.#assertOpen();
    try {
      return await this.#end.dial(host, port);
    } catch (error) {
      await this.#assertOpen();
      const target = parseServiceHost(host);
      const name = target && "host" in target ? target.host : host;
      throw dialError(hostPort(name, port), error);
    }
  }

  close(options: { graceMs?: number } = {}): Promise<void> {
    return this.#closing ??= this.#close(options.graceMs ?? 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(graceMs: number): Promise<void> {
    const detached = Promise.all(
      [...this.#attached.keys()].map((port) => this.detach(port)),
    );
    await within(DETACH_TIMEOUT_MS, Promise.race([detached, this.closed]));
    if (this.#connections > 0 && graceMs > 0) {
      const idle = new Promise<void>((resolve) => this.#idle.push(resolve));
      await within(graceMs, Promise.race([idle, this.closed]));
    }
    this.#end.end();
    await within(END_TIMEOUT_MS, this.closed);
    this.#end.destroy();
    await this.closed;
  }

  async #take({ port, origin, ...offered }: OfferedConnection): Promise<void> {
    const target = this.#attached.get(port);
    if (target === undefined) return offered.refuse();
    const connecting = Promise.try(target.connectLocal, origin);
    const outcome = connecting.then(() => undefined, (error: unknown) => error);
    for (const listener of this.#listeners) {
      listener({ port, origin, outcome });
    }
    const error = await outcome;
    target.options.onConnection?.(origin, error);
    if (error !== undefined) return offered.refuse();
    const socket = await connecting;
    if (this.#end.isClosed) return void socket.destroy();
    this.#count(1);
    await relay(socket, offered.accept());
    this.#count(-1);
  }

  #count(change: 1 | -1): void {
    this.#connections += change;
    if (this.#connections === 0) {
      for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  /** Fails with the reason why the link is gone, if it is. */
  async #assertOpen(): Promise<void> {
    if (!this.#end.isClosed && !this.#closing) return;
    throw await this.closed ??
      new LinkError("LINK_CLOSED", "Link to the Shadow Pod was closed");
  }
}

function linkLost(cause: Error | undefined | null): LinkError {
  if (cause instanceof LinkError) return cause;
  return new LinkError(
    "LINK_LOST",
    `Lost the link to the Shadow Pod: ${linkReason(cause)}`,
    { cause },
  );
}
