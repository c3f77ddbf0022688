// What tests of `connect` have in common: a namespace, a laptop of its own, ways to ask.
import { openTestCluster, succeeded, type TestNamespace } from "./cluster.ts";
import type { KtctlProcess } from "./ktctl_process.ts";
import { NetLaptop, netLaptopObstacle } from "./net_laptop.ts";

export const cluster = await openTestCluster().catch(() => undefined);
/** In a test's name and `ignore`. */
export const obstacle = cluster && await netLaptopObstacle(cluster);

export class ConnectLab implements AsyncDisposable {
  readonly namespace: TestNamespace;
  readonly laptop: NetLaptop;
  /** Of the laptop, before anything was done. */
  readonly before: string;
  /** Of the namespace. */
  readonly namespaceBefore: string;

  private constructor(
    lab: Pick<
      ConnectLab,
      "namespace" | "laptop" | "before" | "namespaceBefore"
    >,
  ) {
    this.namespace = lab.namespace;
    this.laptop = lab.laptop;
    this.before = lab.before;
    this.namespaceBefore = lab.namespaceBefore;
  }

  /** With the demo's Service `web` running, unless told otherwise. */
  static async open(
    apply?: (namespace: TestNamespace) => Promise<void>,
  ): Promise<ConnectLab> {
    const cluster = await openTestCluster();
    await using stack = new AsyncDisposableStack();
    const namespace = stack.use(
      await (apply === undefined ? cluster.demo() : cluster.namespace()),
    );
    await apply?.(namespace);
    const laptop = stack.use(await NetLaptop.open(cluster, namespace));
    const before = await laptop.snapshot();
    const namespaceBefore = await namespace.snapshot();
    const lab = new ConnectLab({ namespace, laptop, before, namespaceBefore });
    lab.#held = stack.move();
    return lab;
  }

  #held: AsyncDisposableStack | undefined;

  /** Starts `ktctl connect` and waits until it is ready. */
  async connect(...args: string[]): Promise<KtctlProcess> {
    const connect = this.laptop.ktctl(["connect", ...args]);
    try {
      await connect.ready();
      return connect;
    } catch (error) {
      await connect[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** A field of an object of the namespace, by kubectl's JSONPath. */
  async field(object: string, path: string): Promise<string> {
    const args = ["get", ...object.split(" "), "-o", `jsonpath={${path}}`];
    return succeeded(await this.namespace.kubectl(args));
  }

  clusterIp(service = "web"): Promise<string> {
    return this.field(`service ${service}`, ".spec.clusterIP");
  }

  podIp(label = "app=web"): Promise<string> {
    return this.field(`pod -l ${label}`, ".items[0].status.podIP");
  }

  /** What curl says on the laptop: the body, or its exit code. */
  async curl(url: string, ...args: string[]): Promise<string> {
    const { code, stdout } = await this.laptop.run(
      ["curl", "-sS", "-m", "10", ...args, url],
    );
    return code === 0 ? stdout.trim() : `curl ends with ${code}`;
  }

  /** What `dig +short` says on the laptop. */
  async dig(...args: string[]): Promise<string> {
    const { stdout } = await this.laptop.run(
      ["dig", "+short", "+time=5", "+tries=1", ...args],
    );
    return stdout.trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#held?.disposeAsync();
  }
}
