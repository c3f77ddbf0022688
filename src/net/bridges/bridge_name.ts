import * as v from "valibot";

/** A device's name, or with `*` at its end all that begin like it: `docker0`, `br-*`. */
export const bridgeName = v.pipe(
  v.string(),
  v.regex(
    /^[a-z][a-z0-9_.-]{0,14}$|^[a-z][a-z0-9_.-]{1,13}\*$/i,
    "must be the name of a bridge, or its beginning and *",
  ),
);

export const bridgeNames = v.pipe(v.array(bridgeName), v.maxLength(32));

/** Whether a device is meant. */
export function isNamed(names: readonly string[], device: string): boolean {
  return names.some((name) =>
    name.endsWith("*") ? device.startsWith(name.slice(0, -1)) : device === name
  );
}
