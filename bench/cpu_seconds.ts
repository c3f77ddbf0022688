/** CPU time by program, from /proc: what of a measurement was whose work. Linux only; else empty. */
import { readdir, readFile } from "node:fs/promises";
import { cpuSecondsOf } from "./process_use.ts";

export const PROGRAMS: readonly (readonly [name: string, inCommand: RegExp])[] =
  [
    ["agent", /^deno\0run\0--v8-flags=[^\0]*single-threaded-gc\0--no-prompt\0/],
    ["ktctl", /(main\.ts|ktctl\.js)\0(exchange|connect|forward)\0/],
    ["kubectl", /^[^\0]*kubectl[^\0]*\0.*port-forward/],
    ["ssh", /^ssh\0/],
    ["sshd", /^(sshd: |\/usr\/sbin\/sshd\0)/],
    ["sshuttle", /^[^\0]*python[^\0]*\0.*(\/sshuttle\0|assembler\.py)/],
    ["delay", /^[^\0]*deno\0.*delay_packets\.ts\0/],
    ["traffic", /^[^\0]*deno\0.*traffic\.ts\0/],
    ["kube-apiserver", /^[^\0]*kube-apiserver\0/],
    ["kubelet", /^[^\0]*kubelet\0/],
    ["containerd", /^[^\0]*containerd\0/],
  ];

export type CpuSeconds = Readonly<Record<string, number>>;

export async function cpuSeconds(): Promise<CpuSeconds> {
  const sums: Record<string, number> = {};
  for (const pid of await readdir("/proc").catch(() => [])) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const command = await readFile(`/proc/${pid}/cmdline`, "utf8");
      const name = PROGRAMS.find(([, pattern]) => pattern.test(command))?.[0];
      if (name === undefined) continue;
      const seconds = await cpuSecondsOf(Number(pid));
      sums[name] = (sums[name] ?? 0) + seconds;
    } catch {
      // it has ended meanwhile
    }
  }
  return sums;
}

/** What was spent between two readings, by program. */
export function spent(before: CpuSeconds, after: CpuSeconds): CpuSeconds {
  const entries = Object.entries(after).map(([name, seconds]) =>
    [name, Math.max(0, seconds - (before[name] ?? 0))] as const
  );
  return Object.fromEntries(entries.filter(([, seconds]) => seconds > 0.005));
}
