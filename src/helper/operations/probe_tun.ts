import { closeSync, openSync, statSync } from "node:fs";
import { messageOf, UnsupportedError } from "../../core/errors.ts";
import type { TunMachine } from "../../net/tun/tun_args.ts";
import { probeWindows } from "./wintun_devices.ts";

/** Major number 10, minor number 200: the kernel's documentation, admin-guide/devices.txt. */
const TUN_RDEV = (10 << 8) | 200;

/** Whether there can be a device. Changes nothing. Throws `UnsupportedError`: `TUN_UNSUPPORTED`, `POWERSHELL_FAILED`. */
export async function probeTun(
  { exec, root }: TunMachine,
  os: typeof Deno.build.os = Deno.build.os,
): Promise<void> {
  if (os === "darwin") return; // every Mac has utun
  if (os === "windows") return await probeWindows({ exec });
  if (os !== "linux") {
    throw unsupported(
      `only Linux, macOS and Windows are supported, not "${os}"`,
    );
  }
  const path = `${root}/dev/net/tun`;
  try {
    closeSync(openSync(path, "r+"));
  } catch (error) {
    throw unsupported(`/dev/net/tun cannot be opened: ${messageOf(error)}`);
  }
  if (statSync(path).rdev !== TUN_RDEV) {
    throw unsupported("/dev/net/tun is something else");
  }
  // busybox's `ip` has no JSON
  const { code } = await exec("ip", ["-json", "link", "show"]).catch(() => ({
    code: 127,
  }));
  if (code !== 0) throw unsupported("the command ip (iproute2) is missing");
}

function unsupported(reason: string): UnsupportedError {
  return new UnsupportedError(
    "TUN_UNSUPPORTED",
    `Cannot make a TUN device on this machine: ${reason}`,
  );
}
