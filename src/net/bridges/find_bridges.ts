import type { exec, ExecOptions } from "../../core/exec.ts";
import { UnsupportedError, UsageError } from "../../core/errors.ts";
import { SYSTEM, systemName } from "../../core/system.ts";
import { isNamed } from "./bridge_name.ts";
import { type Device, guestBridges, readDevices } from "./read_bridges.ts";

export interface FindBridgesOptions extends ExecOptions {
  /** One that was named may have gone, as when Docker is removed meanwhile. @default false */
  readonly mayBeGone?: boolean;
}

/**
 * The bridges that are named and there. Whoever sends by one of them gets into the cluster: so one
 * that a network beside this machine's own guests is plugged into is refused.
 *
 * @throws {UsageError} `BRIDGE_REFUSED`. @throws {UnsupportedError} `BRIDGES_UNSUPPORTED`,
 * `BRIDGES_UNKNOWN`.
 */
export async function findBridges(
  run: typeof exec,
  names: readonly string[],
  { mayBeGone = false, ...options }: FindBridgesOptions = {},
): Promise<Device[]> {
  if (SYSTEM !== "linux") {
    throw new UnsupportedError(
      "BRIDGES_UNSUPPORTED",
      `Cannot serve bridges on ${systemName()}: only Linux is supported`,
      { hint: "See docs/containers.md." },
    );
  }
  const devices = await readDevices(run, options);
  const named = devices.filter(({ name }) => isNamed(names, name));
  for (const device of named) refuseStrangers(device);
  const missing = names.find((name) =>
    !name.endsWith("*") && !named.some((device) => device.name === name)
  );
  if (missing !== undefined && !mayBeGone) {
    const there = guestBridges(devices).map(({ name }) => name);
    throw refused(
      `there is no device "${missing}"`,
      there.length === 0
        ? "This machine has no container bridge now."
        : `There are: ${there.join(", ")}`,
    );
  }
  return named;
}

function refuseStrangers({ name, isBridge, strangersBy }: Device): void {
  if (isBridge && strangersBy === undefined) return;
  throw refused(
    isBridge
      ? `"${name}" connects others than this machine's own guests, behind "${strangersBy}", and all of them would reach the cluster`
      : `"${name}" is not a bridge`,
    "Name only bridges of containers or virtual machines, such as docker0, br-* or virbr0.",
  );
}

function refused(reason: string, hint: string): UsageError {
  return new UsageError(
    "BRIDGE_REFUSED",
    `Cannot serve these bridges: ${reason}`,
    { hint },
  );
}
