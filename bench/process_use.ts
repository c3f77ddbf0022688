/** What one process has taken so far, from /proc. */
import { readdir, readFile } from "node:fs/promises";

const TICKS_PER_SECOND = 100;

export interface ProcessUse {
  readonly cpuSeconds: number;
  readonly residentMiB: number;
  /** Of it, what is no file's: the rest is Deno's own code, which all of its processes share. */
  readonly anonymousMiB: number;
}

export async function processUse(pid: number): Promise<ProcessUse> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const mib = (field: string) =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1024;
  return {
    cpuSeconds: await cpuSecondsOf(pid),
    residentMiB: mib("VmRSS"),
    anonymousMiB: mib("RssAnon"),
  };
}

export async function cpuSecondsOf(pid: number): Promise<number> {
  const fields = await statOf(pid);
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

export async function childrenOf(pid: number): Promise<number[]> {
  const names = await readdir("/proc");
  const parents = await Promise.all(
    names.filter((name) => /^\d+$/.test(name)).map(async (name) => {
      const fields = await statOf(Number(name)).catch(() => []);
      return [Number(name), Number(fields[1])] as const;
    }),
  );
  return parents.flatMap(([child, parent]) => parent === pid ? [child] : []);
}

/** From the state on: a program's name may have blanks. */
async function statOf(pid: number): Promise<string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}
