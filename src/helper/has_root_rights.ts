import { SYSTEM } from "../core/system.ts";
import { isElevated } from "./is_elevated.ts";

/** Whether this process may change routes, firewall and resolver: as root, or as administrator. */
export function hasRootRights(): boolean {
  return SYSTEM === "windows" ? isElevated() : Deno.uid() === 0;
}
