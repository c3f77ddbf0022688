const BRIDGE_NAME = /^[a-z][a-z0-9_.-]{0,14}$|^[a-z][a-z0-9_.-]{1,13}\*$/i;

/** Whether it is a device's name, or with `*` at its end all that begin like it: `docker0`, `br-*`. */
export function isBridgeName(text: string): boolean {
  return BRIDGE_NAME.test(text);
}

/** Whether a device is meant. */
export function isNamed(names: readonly string[], device: string): boolean {
  return names.some((name) =>
    name.endsWith("*") ? device.startsWith(name.slice(0, -1)) : device === name
  );
}
