import type { Duplex } from "node:stream";

/** Where a connection comes from, as its listener saw it. */
export interface Origin {
  readonly host: string;
  readonly port: number;
}

/** A connection to an exposed port that is offered to the laptop. */
export interface OfferedConnection {
  /** The port of the pod. */
  readonly port: number;
  readonly origin: Origin;
  accept(): Duplex;
  /** The agent gives it to the original. */
  refuse(): void;
}

/** The laptop's end of a connection to the agent, whatever they speak on it. */
export interface LaptopEnd {
  /** Unix milliseconds of when something was last seen to come; written by who watches {@link received}. */
  heardAt: number;
  /** Bytes that came. */
  readonly received: number;
  /** Bytes handed on of which it is not known that they came. */
  readonly unanswered: number;
  readonly isClosed: boolean;
  /** Settles when the connection is gone: with the reason, where there is one. */
  readonly closed: Promise<Error | undefined>;
  /** Set before anything is attached. */
  onConnection: (offered: OfferedConnection) => void;
  /**
   * A stream to an address or a service of the pod. Rejects with the agent's reason, which begins with
   * the system's error code: `ECONNREFUSED: …`.
   */
  dial(host: string, port: number): Promise<Duplex>;
  /** Asks for the connections of an exposed port; rejects where the agent refuses. */
  attach(port: number): Promise<void>;
  /** Settles when the agent has answered, whatever it said. */
  detach(port: number): Promise<void>;
  /** Tells the agent that this is the end. */
  end(): void;
  destroy(reason?: Error): void;
}
