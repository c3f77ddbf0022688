import { userInfo } from "node:os";
import process from "node:process";

/** Who stands behind sudo, else the user of this process. */
export function userName(): string {
  const sudoer = process.env.SUDO_USER;
  if (sudoer !== undefined && sudoer !== "") return sudoer;
  try {
    return userInfo().username;
  } catch {
    return process.env.USER ?? process.env.USERNAME ?? "unknown"; // a container's uid may have no name
  }
}
