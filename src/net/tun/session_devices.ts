import { ConflictError } from "../../core/errors.ts";
import type { Scope } from "../../undo/scope.ts";
import type { TunMachine, TunRoutesArgs } from "./tun_args.ts";

/** Whose a device is, where the system itself has no place to note that. One for a session. */
export class SessionDevices<T extends { readonly device: string }> {
  readonly #devices = new Map<string, T>();

  /** @throws {ConflictError} `TUN_IN_USE`. */
  refuseSecond(session: string): void {
    if (!this.#devices.has(session)) return;
    throw new ConflictError(
      "TUN_IN_USE",
      `Cannot make a device for the session "${session}": it has one`,
    );
  }

  /** Until the scope ends. */
  keep(session: string, its: T, scope: Scope<TunMachine>): void {
    this.#devices.set(session, its);
    scope.defer(
      "session of the device",
      () => void this.#devices.delete(session),
    );
  }

  /** @throws {ConflictError} `TUN_NOT_OPEN`. */
  get(args: TunRoutesArgs): T {
    const its = this.#devices.get(args.session);
    if (its?.device !== args.device) throw tunNotOpen(args);
    return its;
  }
}

export function tunNotOpen(
  { session, device }: TunRoutesArgs,
): ConflictError {
  return new ConflictError(
    "TUN_NOT_OPEN",
    `Cannot change the routes of "${device}": it is no device of the session "${session}"`,
    { hint: "Run the command again." },
  );
}
