/** A longer way to the API server: delay_line.ts, on the cluster's node. */
import { fileURLToPath } from "node:url";
import { CLUSTER_SCRIPT, type TestCluster } from "../test/cluster/cluster.ts";
import { apiServerUrl, type NetLaptop } from "../test/cluster/net_laptop.ts";
import { firstLine } from "../test/netns/dns_namespace.ts";

const DELAY_LINE = fileURLToPath(new URL("delay_line.ts", import.meta.url));

export class DelayedPath implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #port: number;

  private constructor(child: Deno.ChildProcess, port: number) {
    this.#child = child;
    this.#port = port;
  }

  /** @param roundTripMs Half of it each way */
  static async open(
    cluster: TestCluster,
    roundTripMs: number,
  ): Promise<DelayedPath> {
    const { hostname, port } = await apiServerUrl(cluster);
    const run = [Deno.execPath(), "run", "-A", "--no-config", DELAY_LINE];
    const child = new Deno.Command("bash", {
      args: [
        CLUSTER_SCRIPT,
        "ns",
        ...run,
        hostname,
        port,
        `${roundTripMs / 2}`,
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    return new DelayedPath(child, Number(await firstLine(child.stdout)));
  }

  /** The laptop's new connections to the API server go this way. */
  async lead(laptop: NetLaptop): Promise<AsyncDisposable> {
    await laptop.divertApi(this.#port, true);
    return {
      [Symbol.asyncDispose]: () => laptop.divertApi(this.#port, false),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }
}
