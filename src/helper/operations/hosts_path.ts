import { SYSTEM, type System } from "../../core/system.ts";

/** Where the hosts file is. @param root Of the file system; "" but in tests */
export function hostsPath(
  root: string,
  os: System = SYSTEM,
): string {
  if (os !== "windows") return `${root}/etc/hosts`;
  const systemRoot = Deno.env.get("SystemRoot") ?? "C:\\Windows";
  return `${root}${systemRoot}\\System32\\drivers\\etc\\hosts`;
}
