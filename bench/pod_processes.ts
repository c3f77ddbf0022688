/** The agents of a namespace's pods, which are processes of this machine, as the cluster runs on it. */
import { readdir, readFile } from "node:fs/promises";
import type { TestNamespace } from "../test/cluster/cluster.ts";
import { succeeded } from "../test/cluster/command.ts";
import { PROGRAMS } from "./cpu_seconds.ts";

/** By the pod's name. */
export async function agentProcesses(
  namespace: TestNamespace,
): Promise<Map<string, number>> {
  const get = ["get", "pods", "--output=jsonpath={.items[*].metadata.name}"];
  const pods = new Set(succeeded(await namespace.kubectl(get)).split(" "));
  const [, agent] = PROGRAMS.find(([name]) => name === "agent")!;
  const found = new Map<string, number>();
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const command = await readFile(`/proc/${pid}/cmdline`, "utf8");
      if (!agent.test(command)) continue;
      const environment = await readFile(`/proc/${pid}/environ`, "utf8");
      const pod = /(?:^|\0)HOSTNAME=([^\0]*)/.exec(environment)?.[1] ?? "";
      if (pods.has(pod)) found.set(pod, Number(pid));
    } catch {
      // it has ended meanwhile
    }
  }
  return found;
}
