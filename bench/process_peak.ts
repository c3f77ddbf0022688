/** The most memory that a process has had resident, from /proc, since a time of our own choice. */
import { readFile, writeFile } from "node:fs/promises";

/** Of `/proc/PID/clear_refs`: forget the peak. As root. */
const RESET_PEAK = "5";

export async function forgetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, RESET_PEAK);
}

/** MiB, since {@link forgetPeak}. */
export async function peakMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) / 1024;
}
