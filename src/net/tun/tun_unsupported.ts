import { UnsupportedError } from "../../core/errors.ts";

/** `TUN_UNSUPPORTED`: this machine cannot make a device. */
export function tunUnsupported(reason: string): UnsupportedError {
  return new UnsupportedError(
    "TUN_UNSUPPORTED",
    `Cannot make a TUN device on this machine: ${reason}`,
  );
}
