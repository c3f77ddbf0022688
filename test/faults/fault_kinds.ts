/** What may go wrong while ktctl runs, each done to real parts. */
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  succeeded,
  type TestCluster,
  type TestNamespace,
} from "../cluster/cluster.ts";
import type { KtctlProcess } from "../cluster/ktctl_process.ts";
import { pidInPod } from "../cluster/pod_process.ts";
import type { TcpProxy } from "../cluster/tcp_proxy.ts";

/** Where it happens. */
export interface Scene {
  readonly cluster: TestCluster;
  readonly namespace: TestNamespace;
  readonly client: KtctlProcess;
  /** Between ktctl and the API server. */
  readonly network: TcpProxy;
  /** How long a fault that passes lasts. */
  readonly lastsMs: number;
  readonly signal: AbortSignal;
}

export interface FaultKind {
  readonly name: string;
  /** Ends ktctl, so that nobody is there to repair anything. */
  readonly endsClient?: boolean;
  /** Returns when it is over. One that finds nothing to break says so. */
  happen(scene: Scene): Promise<void | "nothing there">;
}

const byName = (name: string, signal: Deno.Signal): FaultKind => ({
  name,
  endsClient: true,
  happen: ({ client }) => Promise.resolve(client.kill(signal)),
});

export const FAULT_KINDS: readonly FaultKind[] = [
  byName("ctrl-c", "SIGINT"),
  byName("term", "SIGTERM"),
  byName("hangup", "SIGHUP"),
  byName("kill", "SIGKILL"),
  {
    name: "sleep",
    async happen({ client, lastsMs, signal }) {
      client.kill("SIGSTOP");
      try {
        await sleep(lastsMs, undefined, { signal });
      } finally {
        client.kill("SIGCONT");
      }
    },
  },
  { name: "container", happen: killContainer },
  {
    name: "pod-deleted",
    async happen({ namespace }) {
      const pod = await ourPod(namespace);
      if (pod === undefined) return "nothing there";
      // it may be gone by itself at the same moment
      await namespace.kubectl(["delete", pod, "--wait=false"]);
    },
  },
  {
    name: "pod-evicted",
    async happen({ namespace }) {
      const pod = await ourPod(namespace);
      if (pod === undefined) return "nothing there";
      const name = pod.replace("pod/", "");
      const eviction = {
        apiVersion: "policy/v1",
        kind: "Eviction",
        metadata: { name, namespace: namespace.name },
      };
      const path = `/api/v1/namespaces/${namespace.name}/pods/${name}/eviction`;
      const stdin = JSON.stringify(eviction);
      await namespace.kubectl(["create", "--raw", path, "-f", "-"], { stdin });
    },
  },
  {
    name: "api-restart",
    happen: ({ cluster }) => cluster.restartApiServer(),
  },
  {
    name: "api-stall",
    happen: (scene) => stall(scene, "kube-apiserver"),
  },
  {
    name: "kubelet-stall",
    happen: (scene) => stall(scene, "kubelet"),
  },
  {
    name: "link-cut",
    happen: ({ network }) => Promise.resolve(network.cut()),
  },
  {
    name: "link-silent",
    async happen({ network, lastsMs, signal }) {
      network.goSilent();
      try {
        await sleep(lastsMs, undefined, { signal });
      } finally {
        network.resume();
      }
    },
  },
];

/** A Shadow or Router Pod, as `pod/name`. */
async function ourPod(namespace: TestNamespace): Promise<string | undefined> {
  const list = ["get", "pods", "-l", "kt-role", "-o", "name"];
  const { stdout } = await namespace.kubectl(list);
  return stdout.trim().split("\n").find((name) => name !== "");
}

async function killContainer(
  { namespace }: Scene,
): Promise<void | "nothing there"> {
  const pod = await ourPod(namespace);
  if (pod === undefined) return "nothing there";
  const program = pod.includes("-kt-router") ? "haproxy" : "deno";
  try {
    Deno.kill(await pidInPod(namespace, pod, program), "SIGKILL");
  } catch {
    return "nothing there"; // it does not run yet, or any more
  }
}

/** Stops a component of the cluster for a while, as one that is out of memory or of processors. */
async function stall(
  { cluster, lastsMs, signal }: Scene,
  component: string,
): Promise<void> {
  const file = join(dirname(cluster.kubeconfig), "pid", component);
  const pid = Number((await Deno.readTextFile(file)).split(" ")[0]);
  Deno.kill(pid, "SIGSTOP");
  try {
    await sleep(lastsMs, undefined, { signal });
  } finally {
    Deno.kill(pid, "SIGCONT");
  }
}

/** Needs the namespace's Service to be reachable; throws where it is not. */
export async function awaitAnswer(
  namespace: TestNamespace,
): Promise<void> {
  const pod = await namespace.client();
  succeeded(
    await pod.exec([
      "sh",
      "-c",
      "for i in $(seq 200); do curl -s -m 1 http://web/ && exit 0; sleep 0.1; done; exit 1",
    ]),
  );
}
