// A pod's process as this machine sees it: the cluster's node is this machine.
import type { TestNamespace } from "./cluster.ts";
import type { KubeObject } from "./snapshot.ts";

/**
 * The process id, on this machine, of a pod's program whose command line has `part` in it.
 *
 * @param pod `pod/<name>`
 */
export async function pidInPod(
  namespace: TestNamespace,
  pod: string,
  part: string,
): Promise<number> {
  const { metadata } = await namespace.request("GET", pod.replace("/", "s/"));
  return pidOfPod(metadata.uid, part);
}

/** The same, of a pod whose uid is known. */
export function pidOfPod(uid: string, part: string): number {
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    if (!read(name, "cgroup").includes(`pod${uid}`)) continue;
    if (read(name, "cmdline").includes(part)) return Number(name);
  }
  throw new Error(`the pod ${uid} has no process "${part}" on this machine`);
}

function read(pid: string, file: string): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/${file}`);
  } catch {
    return ""; // it has ended meanwhile
  }
}

/** How many files and sockets a process of this machine has open. */
export function openFiles(pid: number): number {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
}

/** The memory of a process of this machine. */
export function residentMiB(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024);
}

/** The one Shadow Pod of an exchange in the namespace, as `pod/<name>`. */
export async function shadowPod(namespace: TestNamespace): Promise<string> {
  const { items } = await namespace.request("GET", "pods");
  const pods: string[] = items.map(({ metadata }: KubeObject) =>
    `pod/${metadata.name}`
  );
  const shadows = pods.filter((name) => name.includes("-kt-exchange-"));
  if (shadows.length !== 1) throw new Error(`not one Shadow Pod: ${pods}`);
  return shadows[0]!;
}
