// The pod that requests are made from inside the cluster: one for all tests, as each pod costs more
// than most tests do with it.
import {
  type CommandOptions,
  type CommandResult,
  run,
  succeeded,
} from "./command.ts";
import type { TestCluster } from "./cluster.ts";
import { pidInPod } from "./pod_process.ts";

/** Its own, so that no test finds the pod among its objects. */
const NAMESPACE = "ktctl-test-client";

const POD = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "client", labels: { app: "client" } },
  spec: {
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 0,
    containers: [{
      name: "client",
      image: "localhost/client:1",
      imagePullPolicy: "IfNotPresent",
      command: ["sleep", "2147483647"],
    }],
  },
};

/** Makes requests from inside the cluster: curl, nc, nghttp, h2load, wrk, iperf3, sh. */
export interface ClientPod {
  exec(command: string[], options?: CommandOptions): Promise<CommandResult>;
  curl(...args: string[]): Promise<CommandResult>;
  /** Words that run a program of this machine in its network; undefined where the node is another one. */
  readonly network: readonly string[] | undefined;
}

let started: Promise<number | undefined> | undefined;

/** A client to which the names of `namespace` are short ones; the pod is started where it is not. */
export async function clientPod(
  cluster: TestCluster,
  namespace: string,
): Promise<ClientPod> {
  const kubectl: TestCluster["kubectl"] = (args, options) =>
    cluster.kubectl(["--namespace", NAMESPACE, ...args], options);
  const pid = await (started ??= start(kubectl, cluster.ours));
  const search =
    `LOCALDOMAIN=${namespace}.svc.cluster.local svc.cluster.local cluster.local`;
  const exec: ClientPod["exec"] = (command, options) => {
    const within = ["env", search, ...command];
    return pid === undefined
      ? kubectl([
        "exec",
        ...(options?.stdin === undefined ? [] : ["-i"]),
        "client",
        "--",
        ...within,
      ], options)
      // what `kubectl exec` comes to, at a tenth of its price
      : run(
        "nsenter",
        [`--target=${pid}`, "--mount", "--net", "--pid", "--", ...within],
        options,
      );
  };
  return {
    exec,
    network: pid === undefined
      ? undefined
      : ["nsenter", `--target=${pid}`, "--net", "--"],
    curl: (...args) =>
      exec([
        "curl",
        "-sS",
        "--connect-timeout",
        "3",
        "--max-time",
        "20",
        ...args,
      ]),
  };
}

/** @returns its process on this machine, if that is the node. */
async function start(
  kubectl: TestCluster["kubectl"],
  isNode: boolean,
): Promise<number | undefined> {
  await startPod(kubectl);
  if (!isNode) return undefined;
  return await pidInPod({ kubectl }, "pod/client", "sleep");
}

async function startPod(kubectl: TestCluster["kubectl"]): Promise<void> {
  const ready = async (timeout: string) =>
    await kubectl([
      "wait",
      "--for=condition=Ready",
      "pod/client",
      `--timeout=${timeout}`,
    ]);
  if ((await ready("0")).code === 0) return;
  const namespace = {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: NAMESPACE },
  };
  for (const object of [namespace, POD]) {
    const stdin = JSON.stringify(object);
    // the account that a pod needs comes a moment after its namespace
    for (const deadline = Date.now() + 30_000;;) {
      const { code, stderr } = await kubectl(["apply", "-f", "-"], { stdin });
      if (code === 0) break;
      if (Date.now() > deadline) throw new Error(`no client pod: ${stderr}`);
    }
  }
  succeeded(await ready("60s"));
}

/** Takes the pod away from a cluster that stays. */
export async function removeClientPod(cluster: TestCluster): Promise<void> {
  const args = ["delete", "namespace", NAMESPACE, "--ignore-not-found"];
  succeeded(await cluster.kubectl([...args, "--wait=false"]));
}
