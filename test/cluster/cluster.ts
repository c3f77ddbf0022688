// The Kubernetes cluster of the end-to-end tests.
//
//   const cluster = await openTestCluster();
//   await using namespace = await cluster.namespace();
//   await namespace.applyDemo();
//   const { stdout } = await (await namespace.client()).curl("http://web/");
//
// KTCTL_TEST_KUBECONFIG names a cluster that is there already (it must know the images that
// images.sh makes); otherwise cluster.sh starts a real one on this machine, of the version that
// KTCTL_TEST_KUBERNETES names. It is left running, as the next run needs a second then:
// `deno task cluster:down` ends it.
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import {
  type CommandOptions,
  type CommandResult,
  run,
  succeeded,
} from "./command.ts";
import { type ClientPod, clientPod } from "./client_pod.ts";
import { type DemoNamespace, openDemo } from "./demo_namespace.ts";
import { snapshotOf, volatileResources } from "./snapshot.ts";
import { TestApi } from "./test_api.ts";

export type { ClientPod } from "./client_pod.ts";
export {
  type CommandOptions,
  type CommandResult,
  succeeded,
} from "./command.ts";

export interface TestCluster {
  readonly kubeconfig: string;
  /** Whether cluster.sh made it, on this machine: only then can its components be stopped. */
  readonly ours: boolean;
  /** Of the API server's version: 20 of 1.20. */
  readonly minor: number;
  /** Requests that cost no process. */
  readonly api: TestApi;
  kubectl(args: string[], options?: CommandOptions): Promise<CommandResult>;
  /** A new namespace of its own, deleted at the end of `await using`. */
  namespace(): Promise<TestNamespace>;
  /**
   * One with the demo applied, as `applyDemo` says. On a cluster of ours, a test that leaves it as it got
   * it leaves it to the next one; else it is deleted.
   */
  demo(options?: { replicas?: number }): Promise<TestNamespace>;
  /** To be called where kinds of objects were added: snapshots have them from now on. */
  forgetKinds(): void;
  /** Kills the API server (without warning unless `graceful`) and starts it again. */
  restartApiServer(options?: { graceful?: boolean }): Promise<void>;
  stopApiServer(options?: { graceful?: boolean }): Promise<void>;
  /** Returns when the API server is ready. */
  startApiServer(): Promise<void>;
  stopComponent(
    name: Component,
    options?: { graceful?: boolean },
  ): Promise<void>;
  startComponent(name: Component): Promise<void>;
}

export type Component =
  | "etcd"
  | "containerd"
  | "kube-apiserver"
  | "kube-controller-manager"
  | "kube-scheduler"
  | "kubelet"
  | "kube-proxy";

export interface TestNamespace extends AsyncDisposable {
  readonly name: string;
  /** kubectl in this namespace. */
  kubectl(args: string[], options?: CommandOptions): Promise<CommandResult>;
  /**
   * What costs no process: a request in this namespace.
   *
   * @param path e.g. `pods/web`, `/apis/apps/v1/deployments/web`
   * @returns undefined where there is no such thing
   */
  // deno-lint-ignore no-explicit-any -- Kubernetes' own shapes
  request(method: string, path: string, body?: unknown): Promise<any>;
  apply(yaml: string): Promise<void>;
  /**
   * Applies demo/demo.yaml; returns when the Service `web` answers inside the cluster. One pod
   * unless told, as each costs more than most tests do with it.
   */
  applyDemo(options?: { replicas?: number }): Promise<void>;
  /** Makes requests as a pod of the namespace would. */
  client(): Promise<ClientPod>;
  /** All that the namespace holds, as text to compare; see snapshot.ts. */
  snapshot(): Promise<string>;
}

export const CLUSTER_SCRIPT = fileURLToPath(
  new URL("cluster.sh", import.meta.url),
);
const demoYaml = fileURLToPath(new URL("demo/demo.yaml", import.meta.url));
let opened: Promise<TestCluster> | undefined;

/** The cluster of this process; rejects with the reason if there can be none. */
export function openTestCluster(): Promise<TestCluster> {
  return opened ??= open();
}

async function open(): Promise<TestCluster> {
  const existing = process.env["KTCTL_TEST_KUBECONFIG"];
  if (existing) return await testCluster(resolve(existing), false);
  const why = "the test cluster needs Linux, root and Debian 12's apt " +
    "(or KTCTL_TEST_KUBECONFIG, a cluster that is there)";
  if (process.platform !== "linux") {
    throw new Error(`${why}: this is ${process.platform}`);
  }
  if (process.getuid?.() !== 0) throw new Error(`${why}: not root`);
  // of one that is up, as who runs all tests has seen to; which costs two seconds of a processor
  const env = process.env["KTCTL_TEST_CLUSTER_ENV"] ?? await bringUp();
  const [, kubeconfig = "", programs = ""] =
    /^export KUBECONFIG=(.+) PATH=(.+):\$PATH$/m.exec(env) ?? [];
  // kubectl of the cluster's version, where the machine has it
  process.env["PATH"] = `${programs}:${process.env["PATH"]}`;
  return await testCluster(kubeconfig, true);
}

/**
 * Starts the cluster of cluster.sh, or mends what is missing of it; the first time it builds Kubernetes.
 *
 * @returns what `cluster.sh env` prints
 */
export async function bringUp(
  env: Record<string, string> = {},
): Promise<string> {
  const up = await run("bash", [CLUSTER_SCRIPT, "up"], {
    timeout: 40 * 60_000,
    env,
  });
  if (up.code !== 0) throw new Error(`cluster.sh up failed:\n${up.stderr}`);
  return succeeded(await run("bash", [CLUSTER_SCRIPT, "env"], { env }));
}

async function testCluster(
  kubeconfig: string,
  ours: boolean,
): Promise<TestCluster> {
  const kubectl: TestCluster["kubectl"] = (args, options) =>
    run("kubectl", ["--kubeconfig", kubeconfig, ...args], options);
  const control = async (...args: string[]): Promise<void> => {
    if (!ours) {
      throw new Error(
        "only a cluster of cluster.sh can be stopped and started",
      );
    }
    succeeded(
      await run("bash", [CLUSTER_SCRIPT, ...args], { timeout: 150_000 }),
    );
  };
  const seconds = (options?: { graceful?: boolean }) =>
    options?.graceful ? "5" : "0";
  const api = new TestApi(kubeconfig);
  // "20+" of some providers
  const minor = parseInt((await api.request("GET", "/version")).minor);
  const cluster: TestCluster = {
    kubeconfig,
    ours,
    minor,
    api,
    kubectl,
    namespace: () => makeNamespace(cluster, api),
    async demo({ replicas = 1 } = {}) {
      if (ours) {
        return await openDemo(api, {
          replicas,
          make: (labels) => makeNamespace(cluster, api, labels),
          open: (name) => openNamespace(cluster, api, name),
        });
      }
      // nobody would take what is left free away from a cluster that stays
      const namespace = await makeNamespace(cluster, api);
      try {
        await namespace.applyDemo({ replicas });
        return namespace;
      } catch (error) {
        await namespace[Symbol.asyncDispose]();
        throw error;
      }
    },
    forgetKinds: () => api.forgetKinds(),
    restartApiServer: (options) =>
      control("restart-apiserver", seconds(options)),
    stopApiServer: (options) =>
      control("stop-component", "kube-apiserver", seconds(options)),
    startApiServer: () => control("start-component", "kube-apiserver"),
    stopComponent: (name, options) =>
      control("stop-component", name, seconds(options)),
    startComponent: (name) => control("start-component", name),
  };
  return cluster;
}

async function makeNamespace(
  cluster: TestCluster,
  api: TestApi,
  labels: Readonly<Record<string, string>> = {},
): Promise<DemoNamespace> {
  const name = `ktctl-test-${randomBytes(4).toString("hex")}`;
  const path = `/api/v1/namespaces/${name}`;
  await api.request("POST", "/api/v1/namespaces", {
    metadata: { name, labels },
  });
  const namespace = openNamespace(cluster, api, name);
  try {
    await waitForContents(
      (what) => api.request("GET", `${path}/${what}`),
      cluster.minor < 24,
    );
  } catch (error) {
    await namespace[Symbol.asyncDispose]();
    throw error;
  }
  return namespace;
}

function openNamespace(
  cluster: TestCluster,
  api: TestApi,
  name: string,
): DemoNamespace {
  const path = `/api/v1/namespaces/${name}`;
  const kubectl: TestNamespace["kubectl"] = (args, options) =>
    cluster.kubectl(["--namespace", name, ...args], options);
  let client: Promise<ClientPod> | undefined;
  const namespace: DemoNamespace = {
    name,
    kubectl,
    request(method, path, body) {
      const [, group = "/api/v1", what = path] =
        /^(\/apis\/[^/]+\/[^/]+)\/(.+)$/.exec(path) ?? [];
      const whole = `${group}/namespaces/${name}/${what}`;
      return api.request(method, whole, body);
    },
    async apply(yaml) {
      const apply = ["apply", "--validate=false", "-f", "-"];
      succeeded(await kubectl(apply, { stdin: yaml }));
    },
    async applyDemo({ replicas = 1 } = {}) {
      const text = await readFile(demoYaml, "utf8");
      const yaml = text.replace(
        /^ {2}replicas: \d+$/m,
        `  replicas: ${replicas}`,
      );
      const isNew = await api.request("GET", `${path}/services/web`) ===
        undefined;
      if (isNew) await applyNew(api, name, yaml);
      else await namespace.apply(yaml);
      await namespace.demoAnswers();
    },
    async demoAnswers() {
      const pod = await namespace.client();
      await rolledOut(api, name);
      // kube-proxy knows the addresses half a second after the rollout is reported done
      succeeded(
        await pod.exec([
          "sh",
          "-c",
          "curl -sS --retry 50 --retry-delay 1 --retry-connrefused -m 3 http://web/",
        ]),
      );
    },
    client: () => client ??= clientPod(cluster, name),
    async snapshot() {
      return snapshotOf(await api.objects(name, volatileResources));
    },
    async [Symbol.asyncDispose]() {
      await empty(api, name);
      await api.request("DELETE", path);
    },
  };
  return namespace;
}

/**
 * Makes objects just as `kubectl apply` would, but for the second of a processor that it takes to
 * check them.
 */
async function applyNew(
  api: TestApi,
  namespace: string,
  yaml: string,
): Promise<void> {
  const bases: Record<string, string> = {
    Deployment: "/apis/apps/v1",
    Service: "/api/v1",
  };
  for (const document of parseAllDocuments(yaml)) {
    const object = document.toJS();
    object.metadata = { ...object.metadata, annotations: {}, namespace };
    object.metadata.annotations = {
      "kubectl.kubernetes.io/last-applied-configuration": `${
        JSON.stringify(sorted(object))
      }\n`,
    };
    const plural = `${object.kind.toLowerCase()}s`;
    const path = `${bases[object.kind]}/namespaces/${namespace}/${plural}`;
    await api.request("POST", path, object);
  }
}

/** With the keys in Go's order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1)
      .map(([key, one]) => [key, sorted(one)]),
  );
}

/**
 * Takes what runs out of a namespace, makers before pods. While a pod is there, a namespace that is
 * being deleted is swept again and again, 130 requests each time, which were three quarters of all
 * that the API server did.
 */
async function empty(api: TestApi, namespace: string): Promise<void> {
  const gone = { gracePeriodSeconds: 0, propagationPolicy: "Background" };
  const apps = `/apis/apps/v1/namespaces/${namespace}`;
  for (
    const path of [
      `${apps}/deployments`,
      `${apps}/statefulsets`,
      `${apps}/replicasets`,
      `/api/v1/namespaces/${namespace}/pods`,
    ]
  ) await api.request("DELETE", path, gone);
}

/** What `kubectl rollout status` waits for, without the process. */
async function rolledOut(api: TestApi, namespace: string): Promise<void> {
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/web`;
  for (const deadline = Date.now() + 60_000;;) {
    const { metadata, spec, status } = await api.request("GET", path);
    const { observedGeneration = 0, ...replicas } = status;
    if (
      observedGeneration >= metadata.generation &&
      replicas.updatedReplicas === spec.replicas &&
      replicas.availableReplicas === spec.replicas &&
      replicas.replicas === spec.replicas
    ) return;
    if (Date.now() > deadline) {
      throw new Error(`the demo is not ready: ${JSON.stringify(status)}`);
    }
    await sleep(200);
  }
}

/** Until the cluster has put into a new namespace what it puts there by itself. */
async function waitForContents(
  // deno-lint-ignore no-explicit-any -- as above
  get: (what: string) => Promise<any>,
  hasTokenSecrets: boolean,
): Promise<void> {
  for (const deadline = Date.now() + 30_000;;) {
    const account = await get("serviceaccounts/default");
    const root = await get("configmaps/kube-root-ca.crt");
    // up to Kubernetes 1.23, an account gets a Secret with its token, some time later
    const isComplete = hasTokenSecrets ? account?.secrets : account;
    if (root !== undefined && isComplete) return;
    if (Date.now() > deadline) {
      throw new Error("the new namespace stays empty");
    }
    await sleep(50);
  }
}
