/** What may go wrong while ktctl runs, each done to real parts. */
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { TestCluster, TestNamespace } from "../cluster/cluster.ts";
import type { KtctlProcess, KtctlResult } from "../cluster/ktctl_process.ts";
import { evict } from "../cluster/evict.ts";
import { pidInPod } from "../cluster/pod_process.ts";
import type { FaultLaptop } from "./fault_laptop.ts";

/** Where it happens. */
export interface Scene {
  readonly cluster: TestCluster;
  readonly namespace: TestNamespace;
  readonly client: KtctlProcess;
  readonly laptop: FaultLaptop;
  /** How long a fault that passes lasts. */
  readonly lastsMs: number;
  readonly signal: AbortSignal;
}

export interface FaultKind {
  readonly name: string;
  /** It is one of the whole cluster, in the midst of which nothing else is to be tried. */
  readonly isOfCluster?: boolean;
  /** The clock of ktctl is set. */
  readonly setsClock?: boolean;
  /** The verbs that have what it breaks. @default all have */
  readonly verbs?: readonly string[];
  /** Returns when it is over. One that finds nothing to break says so. */
  happen(scene: Scene): Promise<void | "nothing there">;
}

const byName = (name: string, signal: Deno.Signal): FaultKind => ({
  name,
  happen: ({ client }) => Promise.resolve(client.kill(signal)),
});

/** Verbs that have a pod of ours. */
const WITH_POD = ["exchange", "scale", "mesh", "preview", "connect"];
/** On a busy machine it is made late. */
const POD_MS = 15_000;

export const FAULT_KINDS: readonly FaultKind[] = [
  byName("ctrl-c", "SIGINT"),
  byName("term", "SIGTERM"),
  byName("hangup", "SIGHUP"),
  byName("kill", "SIGKILL"),
  {
    name: "sleep",
    happen: ({ client, ...scene }) =>
      lasting(
        scene,
        () => client.kill("SIGSTOP"),
        () => client.kill("SIGCONT"),
      ),
  },
  { name: "container", verbs: WITH_POD, happen: killContainer },
  {
    name: "pod-deleted",
    verbs: WITH_POD,
    async happen(scene) {
      const { namespace } = scene;
      const pod = await ourPod(scene);
      if (pod === undefined) return "nothing there";
      const deletion = ["delete", pod, "--wait=false"];
      const { code } = await namespace.kubectl(deletion);
      if (code !== 0) return "nothing there"; // it has just gone
    },
  },
  {
    name: "pod-evicted",
    verbs: WITH_POD,
    async happen(scene) {
      const { namespace } = scene;
      const pod = await ourPod(scene);
      if (pod === undefined) return "nothing there";
      const { code } = await evict(namespace, pod);
      if (code !== 0) return "nothing there";
    },
  },
  {
    name: "api-restart",
    isOfCluster: true,
    happen: ({ cluster }) => cluster.restartApiServer(),
  },
  {
    name: "api-stall",
    isOfCluster: true,
    happen: (scene) => stall(scene, "kube-apiserver"),
  },
  {
    name: "kubelet-stall",
    isOfCluster: true,
    happen: (scene) => stall(scene, "kubelet"),
  },
  {
    name: "link-cut",
    happen: async ({ laptop }) => await laptop.network.cut(),
  },
  {
    name: "link-silent",
    happen: ({ laptop: { network }, ...scene }) =>
      lasting(
        scene,
        () => network.setSilent(true),
        () => network.setSilent(false),
      ),
  },
  {
    name: "link-slow",
    happen: ({ laptop: { network }, ...scene }) =>
      lasting(
        scene,
        () => network.setSlow(true),
        () => network.setSlow(false),
      ),
  },
  {
    name: "disk-full",
    happen: ({ laptop: { disk }, ...scene }) =>
      lasting(scene, () => disk.fill(), () => disk.makeRoom()),
  },
  setClock("clock-forward", "+3600"),
  setClock("clock-back", "-3600"),
  { name: "two-clients", happen: secondClient },
  {
    name: "helper-kill",
    verbs: ["connect"],
    happen: ({ laptop }) => killHelper(laptop),
  },
  {
    name: "both-kill",
    verbs: ["connect"],
    async happen({ laptop, client }) {
      const outcome = await killHelper(laptop);
      client.kill("SIGKILL");
      return outcome;
    },
  },
];

/** What begins, and is over after a while, or when the run ends. */
async function lasting(
  { lastsMs, signal }: Pick<Scene, "lastsMs" | "signal">,
  begin: () => unknown,
  end: () => unknown,
): Promise<void> {
  await begin();
  try {
    await sleep(lastsMs, undefined, { signal });
  } finally {
    await end();
  }
}

/** Stays so. */
function setClock(name: string, off: string): FaultKind {
  return {
    name,
    setsClock: true,
    happen: ({ laptop }) => Promise.resolve(laptop.clock!.set(off)),
  };
}

/** Somebody else wants the same at the same time, and goes again. */
async function secondClient(
  { laptop, lastsMs, signal }: Scene,
): Promise<void> {
  await using second = laptop.startSecond();
  // who is refused goes at once
  await Promise.race([sleep(lastsMs, undefined, { signal }), second.over()]);
  const result = await second.stop();
  if (isDefect(result)) throw new Error(`the second client: ${result.stdout}`);
}

async function killHelper(
  laptop: FaultLaptop,
): Promise<void | "nothing there"> {
  const pid = await laptop.helperPid();
  if (pid === undefined) return "nothing there";
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    return "nothing there"; // it has just ended
  }
}

/** A defect of ktctl's own, which it tells by its exit code and its word for it. */
export function isDefect({ code, error }: KtctlResult): boolean {
  return code === 1 || error?.["code"] === "UNEXPECTED";
}

/** A Shadow or Router Pod, as `pod/name`, when there is one; undefined where there is not going to be. */
async function ourPod(
  { namespace, client }: Scene,
): Promise<string | undefined> {
  return await soon(client, async () => {
    const list = ["get", "pods", "-l", "kt-role", "-o", "name"];
    const { stdout } = await namespace.kubectl(list);
    return stdout.trim().split("\n").find((name) => name !== "");
  });
}

async function killContainer(scene: Scene): Promise<void | "nothing there"> {
  const { namespace, client } = scene;
  const pod = await ourPod(scene);
  if (pod === undefined) return "nothing there";
  const program = pod.includes("-kt-router") ? "haproxy" : "deno";
  const pid = await soon(
    client,
    () => pidInPod(namespace, pod, program).catch(() => undefined),
  );
  if (pid === undefined) return "nothing there";
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    return "nothing there"; // it has just ended
  }
}

/** What is found, tried for a while as long as ktctl runs. */
async function soon<T>(
  client: KtctlProcess,
  find: () => Promise<T | undefined>,
): Promise<T | undefined> {
  let isOver = false;
  void client.over().then(() => isOver = true);
  const deadline = performance.now() + POD_MS;
  for (;;) {
    const isLast = isOver || performance.now() > deadline;
    const found = await find();
    if (found !== undefined || isLast) return found;
    await sleep(300);
  }
}

/** Stops a component of the cluster for a while, as one that is out of memory or of processors. */
async function stall(
  { cluster, ...scene }: Scene,
  component: string,
): Promise<void> {
  const file = join(dirname(cluster.kubeconfig), "pid", component);
  const pid = Number((await Deno.readTextFile(file)).split(" ")[0]);
  await lasting(
    scene,
    () => Deno.kill(pid, "SIGSTOP"),
    () => Deno.kill(pid, "SIGCONT"),
  );
}
