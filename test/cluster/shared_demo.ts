// What laptops of one name have in common: the program that they bring traffic to. Each start of it takes a
// processor for a while, and a run has some hundred laptops.
import process from "node:process";
import { type LocalDemo, startLocalDemo } from "./demo/local_demo.ts";

/** Nobody ends it, as others have it as well. */
export type SharedDemo = Omit<LocalDemo, "pid" | keyof AsyncDisposable>;

const demos = new Map<string, Promise<LocalDemo>>();
const pids = new Map<string, number>();

// it writes to where we do, which somebody may read to its end
globalThis.addEventListener("unload", () => {
  for (const pid of pids.values()) isSent(pid, "SIGTERM");
});

/** The running one of that name; it ends with this process. */
export function sharedDemo(name: string): Promise<SharedDemo> {
  const demo = runningOr(demos.get(name), name);
  demos.set(name, demo);
  return demo;
}

async function runningOr(
  before: Promise<LocalDemo> | undefined,
  name: string,
): Promise<LocalDemo> {
  const running = await before;
  if (running !== undefined && isSent(running.pid, 0)) return running;
  const started = await startLocalDemo({ name });
  pids.set(name, started.pid);
  return started;
}

/** Whether there was a process to send it to; a signal of 0 is none. */
function isSent(pid: number, signal: string | number): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
