// The pod that requests are made from inside the cluster: one for all tests, as each pod costs more
// than most tests do with it.
import {
  type CommandOptions,
  type CommandResult,
  run,
  succeeded,
} from "./command.ts";
import { setTimeout as sleep } from "node:timers/promises";
import type { TestCluster } from "./cluster.ts";
import { pidOfPod } from "./pod_process.ts";
import { type TestApi, TestApiError } from "./test_api.ts";

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
  const pid = await (started ??= start(cluster));
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
async function start({ api, ours }: TestCluster): Promise<number | undefined> {
  const uid = await uidOfReadyPod(api);
  return ours ? pidOfPod(uid, "sleep") : undefined;
}

/** Makes the pod where it is not. */
async function uidOfReadyPod(api: TestApi): Promise<string> {
  const pods = `/api/v1/namespaces/${NAMESPACE}/pods`;
  let isMade = false;
  for (const deadline = Date.now() + 60_000;;) {
    const pod = await api.request("GET", `${pods}/client`);
    const isReady = pod?.status.conditions?.some((one: Condition) =>
      one.type === "Ready" && one.status === "True"
    );
    if (isReady) return pod.metadata.uid;
    if (Date.now() > deadline) {
      throw new Error(`no client pod: ${JSON.stringify(pod?.status)}`);
    }
    if (pod === undefined && !isMade) isMade = await make(api, pods);
    await sleep(100);
  }
}

interface Condition {
  readonly type: string;
  readonly status: string;
}

/** @returns whether it is; the account that a pod needs comes a moment after its namespace. */
async function make(api: TestApi, pods: string): Promise<boolean> {
  try {
    await api.request("POST", "/api/v1/namespaces", {
      metadata: { name: NAMESPACE },
    }).catch(unlessThere);
    await api.request("POST", pods, POD).catch(unlessThere);
    return true;
  } catch (error) {
    if (error instanceof TestApiError && error.status === 403) return false;
    throw error;
  }
}

/** Another test file may have been faster. */
function unlessThere(error: unknown): void {
  if (!(error instanceof TestApiError) || error.status !== 409) throw error;
}

/** Takes the pod away from a cluster that stays. */
export async function removeClientPod(cluster: TestCluster): Promise<void> {
  const args = ["delete", "namespace", NAMESPACE, "--ignore-not-found"];
  succeeded(await cluster.kubectl([...args, "--wait=false"]));
}
