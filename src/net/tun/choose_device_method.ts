import { SYSTEM, type System } from "../../core/system.ts";
import type { DeviceMethod } from "./device_method.ts";
import { LINUX_DEVICE_METHOD } from "./linux/linux_device_method.ts";
import { MACOS_DEVICE_METHOD } from "./macos/macos_device_method.ts";
import { tunUnsupported } from "./tun_unsupported.ts";
import { WINDOWS_DEVICE_METHOD } from "./windows/windows_device_method.ts";

/** The one place that knows which system has which. */
export const DEVICE_METHODS: Readonly<Partial<Record<System, DeviceMethod>>> = {
  linux: LINUX_DEVICE_METHOD,
  darwin: MACOS_DEVICE_METHOD,
  windows: WINDOWS_DEVICE_METHOD,
};

/** @throws {UnsupportedError} `TUN_UNSUPPORTED`. */
export function chooseDeviceMethod(system: System = SYSTEM): DeviceMethod {
  const method = DEVICE_METHODS[system];
  if (method !== undefined) return method;
  throw tunUnsupported(
    `only Linux, macOS and Windows are supported, not "${system}"`,
  );
}
