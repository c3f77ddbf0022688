/** An operating system, as Deno calls it. */
export type System = typeof Deno.build.os;

/** The one that this process runs on. */
export const SYSTEM: System = Deno.build.os;

/** What people call an operating system. */
export function systemName(system: string = SYSTEM): string {
  if (system === "darwin") return "macOS";
  return system === "windows" ? "Windows" : system;
}

/** What differs from system to system. */
export interface BySystem<T> {
  /** Counts where a system is not named. */
  readonly linux: T;
  readonly darwin?: T;
  readonly windows?: T;
}

/** The one of several values that counts on this system. */
export function forSystem<T>(
  values: BySystem<T>,
  system: System = SYSTEM,
): T {
  const named: Readonly<Partial<Record<System, T>>> = values;
  return named[system] ?? values.linux;
}
