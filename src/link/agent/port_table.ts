import type { AgentConfig, AgentStatus } from "./agent_config.ts";
import { ClientRoster } from "./client_roster.ts";
import { logLine } from "./log_line.ts";
import { type PortClient, PortServer } from "./port_server.ts";

/** All ports of the pod and who holds them. */
export class PortTable {
  readonly #ports = new Map<number, PortServer>();
  /** Clients that are logged in, whatever they hold. */
  readonly #clients = new Map<PortClient, string>();
  readonly #roster = new ClientRoster();
  readonly #startedAt = unixSeconds();
  /** Those that a client has to serve. */
  readonly #served: readonly PortServer[];
  #since = this.#startedAt;
  #closed = false;
  #refusesClients = false;
  #onAttached: (isAttached: boolean) => void = () => {};
  #onConnection: () => void = () => {};

  constructor(config: AgentConfig) {
    for (const port of config.ports) {
      const server = new PortServer(port, () => this.#onConnection());
      this.#ports.set(port.port, server);
    }
    this.#served = config.ports.filter(({ isPassedThrough }) =>
      !isPassedThrough
    ).map(({ port }) => this.#ports.get(port)!);
  }

  async listen(): Promise<void> {
    await Promise.all(
      [...this.#ports.values()].map((server) => server.listen()),
    );
  }

  /** The newest client wins. False if there is no such port. */
  attach(port: number, client: PortClient): boolean {
    const server = this.#ports.get(port);
    if (server === undefined || this.#closed || this.#refusesClients) {
      return false;
    }
    server.client = client;
    this.#changed(`port ${port}: client attached`);
    return true;
  }

  /** New connections go to the fallback from now on. False if somebody else holds the port. */
  detach(port: number, client: PortClient): boolean {
    const server = this.#ports.get(port);
    if (server === undefined || server.client !== client) return false;
    server.client = undefined;
    this.#changed(`port ${port}: client detached`);
    return true;
  }

  /** A client has logged in; {@link leave} is called when it goes. */
  enter(client: PortClient, name: string): void {
    this.#clients.set(client, name);
    this.#roster.enter(name);
    if (this.#ports.size === 0) this.#changed("client attached");
  }

  leave(client: PortClient): void {
    for (const port of this.#ports.keys()) this.detach(port, client);
    const name = this.#clients.get(client);
    if (this.#clients.delete(client)) this.#roster.leave(name!);
    if (this.#ports.size === 0) this.#changed("client detached");
  }

  /** From now on nobody may attach; false where somebody is attached: then it stays as it is. */
  refuseClients(): boolean {
    if (!this.#refusesClients && this.#isAttached) return false;
    this.#refusesClients = true;
    return true;
  }

  /** Calls back with whether a client is attached: now, and at each change. */
  onAttached(listener: (isAttached: boolean) => void): void {
    this.#onAttached = listener;
    listener(this.#isAttached);
  }

  /** Sends every new connection to the fallback and lets nobody attach any more. */
  close(): void {
    this.#closed = true;
    for (const server of this.#ports.values()) server.client = undefined;
    this.#changed("stopping: new connections go to the fallback");
  }

  /** Resolves when no connection has come for `quietMs`, or after `mostMs`. */
  async quiet(quietMs: number, mostMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const last = setTimeout(resolve, mostMs);
    let timer = setTimeout(resolve, quietMs);
    this.#onConnection = () => {
      clearTimeout(timer);
      timer = setTimeout(resolve, quietMs);
    };
    await promise;
    clearTimeout(timer);
    clearTimeout(last);
  }

  /** What `/ready` says. */
  isReady(mode: AgentConfig["ready"]): boolean {
    if (this.#closed) return false;
    return mode === "always" ||
      this.#served.every(({ client }) => client !== undefined);
  }

  status(): AgentStatus {
    const servers = [...this.#ports.values()];
    const sum = (kind: "client" | "fallback") =>
      servers.reduce((total, { connections }) => total + connections[kind], 0);
    return {
      attached: this.#isAttached,
      since: this.#since,
      connections: { client: sum("client"), fallback: sum("fallback") },
      startedAt: this.#startedAt,
      now: unixSeconds(),
      clients: this.#roster.list(),
    };
  }

  get #isAttached(): boolean {
    return this.#ports.size === 0
      ? this.#clients.size > 0
      : [...this.#ports.values()].some(({ client }) => client !== undefined);
  }

  #changed(line: string): void {
    this.#since = unixSeconds();
    logLine(line);
    if (!this.#closed) this.#onAttached(this.#isAttached);
  }
}

function unixSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
