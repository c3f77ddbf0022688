/** A namespace with the program of traffic.ts in a pod, behind Service `web`, and on the laptop. */
import { readFile } from "node:fs/promises";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SHADOW_IMAGE } from "../src/cluster/pod/pod_options.ts";
import type { TestCluster, TestNamespace } from "../test/cluster/cluster.ts";
import { succeeded } from "../test/cluster/command.ts";
import { KtctlProcess } from "../test/cluster/ktctl_process.ts";
import { runWords } from "./programs.ts";
import { serveTraffic, TRAFFIC } from "./serve_traffic.ts";

export const PORT = 9000;
/** What a slow way has taken in is still to arrive when the sender has stopped. */
const RUN_TIMEOUT_MS = 90_000;

export class Testbed implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;

  private constructor(
    readonly cluster: TestCluster,
    readonly namespace: TestNamespace,
    readonly pod: string,
    readonly laptopPort: number,
    readonly stateDir: string,
    stack: AsyncDisposableStack,
  ) {
    this.#stack = stack;
  }

  static async open(cluster: TestCluster): Promise<Testbed> {
    await using stack = new AsyncDisposableStack();
    const namespace = stack.use(await cluster.namespace());
    await namespace.apply(await manifests());
    const wait = ["rollout", "status", "deployment/web", "--timeout=60s"];
    succeeded(await namespace.kubectl(wait));
    const pods = ["get", "pods", "-l", "app=web", "-o", "name"];
    const pod = succeeded(await namespace.kubectl(pods)).trim();
    const laptopPort = await serveTraffic(stack);
    const stateDir = await mkdtemp(join(tmpdir(), "ktctl-bench-"));
    stack.defer(() => rm(stateDir, { recursive: true, force: true }));
    return new Testbed(
      cluster,
      namespace,
      pod.replace("pod/", ""),
      laptopPort,
      stateDir,
      stack.move(),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  /**
   * Starts `ktctl exchange`; it is ready when its `ready()` resolves.
   *
   * @param service `web`, or `other` to the same pods.
   */
  exchange(
    program: string,
    service: "web" | "other" = "web",
    words: readonly string[] = [],
  ): KtctlProcess {
    const expose = `--expose=${this.laptopPort}:${PORT}`;
    return new KtctlProcess(["exchange", service, expose, ...words], {
      kubeconfig: this.cluster.kubeconfig,
      namespace: this.namespace.name,
      program: runWords(program),
      env: { XDG_STATE_HOME: this.stateDir },
    });
  }

  /** Runs traffic.ts in the pod, against a host name of the cluster. */
  async inPod(args: readonly string[]): Promise<Record<string, number>> {
    const command = ["deno", "run", "-A", "/bench/traffic.ts", ...args];
    const exec = ["exec", this.pod, "--", ...command];
    const result = await this.namespace.kubectl(exec, {
      timeout: RUN_TIMEOUT_MS,
    });
    return JSON.parse(succeeded(result));
  }

  /** Runs traffic.ts on the laptop. @param within A command that runs another one somewhere else */
  async onLaptop(
    args: readonly string[],
    within: readonly string[] = [],
  ): Promise<Record<string, number>> {
    const run = ["run", "-A", "--no-config", TRAFFIC, ...args];
    const [program, ...words] = [...within, Deno.execPath(), ...run];
    const child = new Deno.Command(program!, {
      args: words,
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    let why = "";
    const timer = setTimeout(() => {
      why = `no end within ${RUN_TIMEOUT_MS} ms`;
      child.kill("SIGKILL");
    }, RUN_TIMEOUT_MS);
    const { code, stdout, stderr } = await child.output();
    clearTimeout(timer);
    const text = new TextDecoder();
    if (code !== 0) throw new Error(text.decode(stderr) + why);
    return JSON.parse(text.decode(stdout));
  }
}

async function manifests(): Promise<string> {
  const labels = { app: "web" };
  const items = [
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "traffic" },
      data: { "traffic.ts": await readFile(TRAFFIC, "utf8") },
    },
    ...["web", "other"].map((name) => ({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name },
      spec: {
        selector: labels,
        ports: [{ port: PORT, targetPort: PORT, protocol: "TCP" }],
      },
    })),
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web" },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: podSpec() },
      },
    },
  ];
  return JSON.stringify({ apiVersion: "v1", kind: "List", items });
}

function podSpec() {
  return {
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 0,
    containers: [{
      name: "web",
      image: SHADOW_IMAGE,
      imagePullPolicy: "IfNotPresent",
      command: ["deno", "run", "-A", "/bench/traffic.ts", "serve"],
      args: ["0.0.0.0", String(PORT)],
      ports: [{ containerPort: PORT, protocol: "TCP" }],
      readinessProbe: { tcpSocket: { port: PORT }, periodSeconds: 1 },
      volumeMounts: [{ name: "bench", mountPath: "/bench" }],
    }],
    volumes: [{ name: "bench", configMap: { name: "traffic" } }],
  };
}
