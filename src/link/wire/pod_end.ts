import type { Duplex } from "node:stream";
import type { Origin } from "./laptop_end.ts";

/** A connection from the pod that the laptop asks for. */
export interface RequestedDial {
  /** An address, a name, or a service of `ServiceHost`. */
  readonly host: string;
  readonly port: number;
  accept(): Duplex;
  /** @param reason Begins with the system's error code: `ECONNREFUSED: …`. */
  refuse(reason: string): void;
}

/** What the laptop may ask of the pod. */
export interface PodRequests {
  onDial(dial: RequestedDial): void;
  /** False where there is no such port. */
  onAttach(port: number): boolean;
  /** False where somebody else holds it. */
  onDetach(port: number): boolean;
}

/** The pod's end of a connection to a laptop that has logged in, whatever they speak on it. */
export interface PodEnd {
  /** Bytes that came. */
  readonly received: number;
  readonly isClosed: boolean;
  /** Settles when the connection is gone. */
  readonly closed: Promise<unknown>;
  /** From now on the laptop is answered. */
  serve(requests: PodRequests): void;
  /** Offers a connection to an exposed port; rejects where the laptop refuses it or is gone. */
  offer(port: number, origin: Origin): Promise<Duplex>;
  destroy(): void;
}
