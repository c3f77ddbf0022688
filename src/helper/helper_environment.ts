/** What of its environment the root helper, and each program that it starts, gets to see. */
import { forSystem, SYSTEM } from "../core/system.ts";

/** sudo may leave the user's own PATH, in which anybody's program could be called `nft`. */
const SAFE_PATH = [
  "/usr/local/sbin",
  "/usr/local/bin",
  "/usr/sbin",
  "/usr/bin",
  "/sbin",
  "/bin",
  "/run/current-system/sw/bin", // NixOS
].join(":");

/** Of root's own environment; never a kubeconfig or a credential. */
const PASSED = forSystem({
  linux: ["PATH", "DENO_DIR", "DBUS_SYSTEM_BUS_ADDRESS"],
  // without most of these, programs do not start there, or find no folder
  windows: [
    "PATH",
    "PATHEXT",
    "SYSTEMROOT",
    "SYSTEMDRIVE",
    "WINDIR",
    "COMSPEC",
    "TEMP",
    "TMP",
    "PROGRAMDATA",
    "PROGRAMFILES",
    "PROCESSOR_ARCHITECTURE",
    "NUMBER_OF_PROCESSORS",
    "USERPROFILE",
    "LOCALAPPDATA",
    "DENO_DIR",
  ],
});

/** For a helper that root, or an administrator, starts directly. */
export function passedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    PASSED.flatMap((name) => {
      const value = Deno.env.get(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** In the helper: what sudo let through is the user's, who may not choose root's programs. */
export function clearEnvironment(): void {
  const isBySudo = Deno.env.has("SUDO_UID");
  const kept = isBySudo ? ["DENO_DIR"] : PASSED;
  for (const name of Object.keys(Deno.env.toObject())) {
    // Windows' names have any case, and it has some ("=C:") that cannot be deleted
    const isKept = SYSTEM === "windows"
      ? kept.includes(name.toUpperCase()) || name.includes("=")
      : kept.includes(name);
    if (!isKept) Deno.env.delete(name);
  }
  if (isBySudo || !Deno.env.has("PATH")) Deno.env.set("PATH", SAFE_PATH);
  Deno.env.set("LC_ALL", "C"); // steps read what programs say
}
