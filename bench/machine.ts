/** Where the figures come from. */
import { readFile } from "node:fs/promises";
import os from "node:os";
import type { TestCluster } from "../test/cluster/cluster.ts";
import { run } from "../test/cluster/command.ts";
import { VERSION } from "../src/core/version.ts";

export interface Machine {
  readonly time: string;
  readonly commandLine: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly loadBefore: readonly number[];
  readonly versions: Readonly<Record<string, string>>;
}

export async function describeMachine(
  args: readonly string[],
  cluster: TestCluster | undefined,
): Promise<Machine> {
  return {
    time: new Date().toISOString(),
    commandLine: ["deno task bench", ...args].join(" "),
    cpu: os.cpus()[0]?.model ?? "unknown",
    cores: os.availableParallelism(),
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    kernel: `${os.type()} ${os.release()}`,
    loadBefore: await loadAverage(),
    versions: {
      ktctl: VERSION,
      commit: await commit(),
      deno: Deno.version.deno,
      v8: Deno.version.v8,
      ...(cluster === undefined ? {} : await kubernetesVersions(cluster)),
    },
  };
}

export async function loadAverage(): Promise<readonly number[]> {
  try {
    const text = await readFile("/proc/loadavg", "utf8");
    return text.split(" ").slice(0, 3).map(Number);
  } catch {
    return os.loadavg();
  }
}

async function commit(): Promise<string> {
  const { code, stdout } = await run("git", [
    "describe",
    "--always",
    "--dirty",
  ]);
  return code === 0 ? stdout.trim() : "unknown";
}

async function kubernetesVersions(
  cluster: TestCluster,
): Promise<Record<string, string>> {
  const { stdout } = await cluster.kubectl(["version", "-o", "json"]);
  const { clientVersion, serverVersion } = JSON.parse(stdout);
  return {
    kubectl: clientVersion.gitVersion,
    kubernetes: serverVersion.gitVersion,
  };
}
