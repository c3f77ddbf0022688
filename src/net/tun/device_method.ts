import type { Scope } from "../../undo/scope.ts";
import type { AnyStep } from "../../undo/step.ts";
import type { OpenedTun } from "./opened_tun.ts";
import type { PacketDevice } from "./packets/packet_device.ts";
import type { OpenTunArgs, TunMachine, TunRoutesArgs } from "./tun_args.ts";

/** How a system makes a TUN device: what root does for it, and what the client does, without root. */
export interface DeviceMethod {
  /** What `open` may journal. */
  readonly steps: readonly AnyStep<TunMachine>[];

  /**
   * As root: whether there can be a device. Changes nothing.
   *
   * @throws {UnsupportedError} `TUN_UNSUPPORTED`, `POWERSHELL_FAILED`.
   */
  probe(machine: TunMachine): Promise<void>;

  /**
   * As root: a device with addresses and routes, until the scope ends.
   *
   * @throws {ConflictError} `TUN_IN_USE`, `ROUTE_TAKEN`.
   * @throws {PermissionError} `TUN_NOT_ALLOWED`.
   * @throws {UnsupportedError} `TUN_UNSUPPORTED`, `TUN_NO_ADDRESS`, or what a program of the system said.
   */
  open(args: OpenTunArgs, scope: Scope<TunMachine>): Promise<OpenedTun>;

  /**
   * As root: puts other routes in the place of an open device's.
   *
   * @throws {ConflictError} `TUN_NOT_OPEN`, `ROUTE_TAKEN`.
   */
  updateRoutes(args: TunRoutesArgs, machine: TunMachine): Promise<void>;

  readonly client: DeviceClient;
}

/** The part of a {@link DeviceMethod} that the process does which carries the packets. */
export interface DeviceClient {
  /** Whether the client has what it needs, before root is asked. Changes nothing. */
  probe(): void;

  /** Before root makes the device. */
  prepare(session: string): PreparedDevice;

  /** Whether what other machines send by way of this one can be told from its own, and is refused. */
  readonly refusesStrangers: boolean;

  /** Why a device has no IPv6. */
  readonly noIpv6Reason: string;

  /** How a firewall is told to let connections pass: a full sentence. */
  firewallHint(device: string): string;

  /** The command that makes a route by hand. */
  routeCommand(device: string): string;
}

/** Disposed when the device is taken, or is not made after all. */
export interface PreparedDevice extends Disposable {
  /** The near end of the device that root has made. It is the caller's to dispose. */
  take(device: string): PacketDevice;
}
