// What tests of `connect --shareShadow` have in common: a namespace, two laptops, and what is left.
import assert from "node:assert/strict";
import type { AgentStatus } from "../../src/link/agent/agent_config.ts";
import { SHARE_NAME } from "../../src/kube/annotations.ts";
import { openTestCluster, succeeded, type TestNamespace } from "./cluster.ts";
import { run } from "./command.ts";
import type { KtctlProcess } from "./ktctl_process.ts";
import { eventually, Laptop } from "./laptop.ts";

/** Proxy ports, one for each connection at a time. */
let nextPort = 23_100 + Deno.pid % 500 * 10;

/** A connection that is ready. */
export interface Connected {
  readonly process: KtctlProcess;
  readonly proxy: string;
}

export class ShareLab implements AsyncDisposable {
  readonly namespace: TestNamespace;
  readonly alice: Laptop;
  readonly bob: Laptop;
  readonly before: string;
  readonly #held: AsyncDisposableStack;

  private constructor(
    lab: Pick<ShareLab, "namespace" | "alice" | "bob" | "before">,
    held: AsyncDisposableStack,
  ) {
    this.namespace = lab.namespace;
    this.alice = lab.alice;
    this.bob = lab.bob;
    this.before = lab.before;
    this.#held = held;
  }

  /** With the demo's Service `web` running. */
  static async open(): Promise<ShareLab> {
    const cluster = await openTestCluster();
    await using stack = new AsyncDisposableStack();
    const namespace = stack.use(await cluster.demo());
    const alice = stack.use(await Laptop.open(cluster, namespace, "alice"));
    const bob = stack.use(await Laptop.open(cluster, namespace, "bob"));
    const before = await namespace.snapshot();
    return new ShareLab({ namespace, alice, bob, before }, stack.move());
  }

  /** Starts `ktctl connect --shareShadow`, which is not ready yet. */
  start(laptop: Laptop, ...args: string[]): Connected {
    const port = nextPort++;
    const process = laptop.start([
      "connect",
      "--shareShadow",
      "--disableTunDevice",
      "--proxyPort",
      String(port),
      ...args,
    ], { user: laptop === this.alice ? "alice" : "bob" });
    return { process, proxy: `socks5h://127.0.0.1:${port}` };
  }

  async connect(laptop: Laptop, ...args: string[]): Promise<Connected> {
    const connected = this.start(laptop, ...args);
    this.#held.use(connected.process);
    await connected.process.ready();
    return connected;
  }

  /** A field of an object that is shared. */
  async field(kind: string, path: string): Promise<string> {
    const args = ["get", kind, SHARE_NAME, "-o", `jsonpath={${path}}`];
    return succeeded(await this.namespace.kubectl(args));
  }

  async users(kind = "pod"): Promise<string> {
    return await this.field(kind, ".metadata.annotations.kt-ref-count");
  }

  /** How many the agent has a link to. */
  async attached(): Promise<number> {
    const page = `pods/${SHARE_NAME}:2223/proxy/status`;
    const { clients }: AgentStatus = await this.namespace.request("GET", page);
    return Object.values(clients).filter(({ attached }) => attached).length;
  }

  /** Puts another ConfigMap in the place of the agent's, as whoever may write ConfigMaps can. */
  async plantAgent(source: string): Promise<void> {
    const get = ["get", "configmap", SHARE_NAME, "-o", "json"];
    const object = JSON.parse(succeeded(await this.namespace.kubectl(get)));
    delete object.metadata.uid;
    delete object.metadata.resourceVersion;
    object.data["agent.js"] = source;
    const remove = ["delete", "configmap", SHARE_NAME];
    succeeded(await this.namespace.kubectl(remove));
    await this.namespace.apply(JSON.stringify(object));
  }

  /** Nothing is left, not even what a snapshot leaves out as it belongs to something else. */
  async assertNothingLeft(): Promise<void> {
    const left = succeeded(
      await this.namespace.kubectl([
        "get",
        "pods,deployments,replicasets,configmaps,secrets",
        "-o",
        "name",
      ]),
    ).split("\n").filter((name) => name.includes(SHARE_NAME));
    assert.deepEqual(left, []);
    assert.equal(await this.namespace.snapshot(), this.before);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#held.disposeAsync();
  }
}

/** What curl says through the connection's proxy: the demo's answer, or how it failed. */
export async function throughProxy({ proxy }: Connected): Promise<string> {
  const { code, stdout } = await run("curl", [
    "-sS",
    "-m",
    "5",
    "-x",
    proxy,
    "http://web/",
  ]);
  return code === 0 ? stdout.trim() : `curl ends with ${code}`;
}

export async function assertWorks(connected: Connected): Promise<void> {
  assert.match(await throughProxy(connected), /^demo pod=web-/);
}

/** Until it works (again). */
export function works(connected: Connected, withinMs = 30_000) {
  return eventually(
    "the Service is reached",
    async () => /^demo pod=web-/.test(await throughProxy(connected)),
    withinMs,
  );
}
