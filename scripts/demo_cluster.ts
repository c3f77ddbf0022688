/** The cluster that the demo shows ktctl on: one that is there, or one of this machine's own. */
import { fileURLToPath } from "node:url";
import { ClusterError, UnsupportedError } from "../src/core/errors.ts";
import { CLUSTER_SCRIPT, succeeded } from "../test/cluster/cluster.ts";
import { run } from "../test/cluster/command.ts";
import {
  CLUSTER_HOME,
  gigabytes,
  machineFacts,
  machineObstacle,
} from "./demo_machine.ts";

/** Ends what was started for the demo. */
export type EndCluster = () => Promise<void>;

/**
 * Checks a cluster that is there before anything is made in it.
 *
 * @throws {UnsupportedError} `KUBECTL_MISSING`, {@link ClusterError} `CLUSTER_UNFIT`.
 */
export async function checkCluster(kubeconfig: string): Promise<void> {
  const kubectl = (...args: string[]) =>
    run("kubectl", ["--kubeconfig", kubeconfig, ...args], { timeout: 20_000 })
      .catch((cause) => {
        throw new UnsupportedError(
          "KUBECTL_MISSING",
          "The demo needs kubectl, and there is none on the PATH",
          { cause },
        );
      });
  const { stdout, stderr } = await kubectl(
    "auth",
    "can-i",
    "create",
    "namespaces",
  );
  if (stdout.trim() === "yes") return;
  throw new ClusterError(
    "CLUSTER_UNFIT",
    stdout.trim() === "no"
      ? `The demo makes two namespaces of its own, which the user of "${kubeconfig}" may not`
      : `The cluster of "${kubeconfig}" does not answer`,
    { details: stderr.trim().split("\n").slice(-1) },
  );
}

/** @throws {UnsupportedError} `MACHINE_UNFIT`, before anything is changed. */
export async function checkMachine(): Promise<void> {
  const facts = await machineFacts();
  const obstacle = machineObstacle(facts);
  if (obstacle !== undefined) {
    throw new UnsupportedError(
      "MACHINE_UNFIT",
      "The demo builds a Kubernetes of its own, which this machine does not allow",
      { details: [obstacle] },
    );
  }
  if (facts.isBuilt) return;
  console.log(
    `  It is built once, which takes 10 to 20 minutes and up to 7 GB of disk;
  0.5 GB of it stay in ${CLUSTER_HOME}, and Debian's packages that it needs.`,
  );
}

/** Starts it where it does not run; what is returned takes it down again and says what stays. */
export async function startCluster(keep: boolean): Promise<EndCluster> {
  if ((await run("bash", [CLUSTER_SCRIPT, "status"])).code === 0) {
    return () => Promise.resolve();
  }
  const before = await installedPackages();
  const end = async () => {
    if (!keep) await control("down");
    await tellWhatStays(before);
  };
  try {
    await control("up");
  } catch (error) {
    await end();
    throw error;
  }
  return end;
}

/** Runs cluster.sh with its progress shown. */
async function control(command: "up" | "down"): Promise<void> {
  const { code } = await new Deno.Command("bash", {
    args: [CLUSTER_SCRIPT, command],
    cwd: fileURLToPath(new URL("../", import.meta.url)),
  }).spawn().status;
  if (code === 0) return;
  throw new ClusterError("CLUSTER_FAILED", `cluster.sh ${command} failed`);
}

async function tellWhatStays(before: Set<string>): Promise<void> {
  const { stdout } = await run("du", ["-sB1", CLUSTER_HOME]);
  const bytes = Number(stdout.split("\t")[0]);
  console.log(`
What stays, so that the next run takes seconds:
  ${gigabytes(bytes)} in ${CLUSTER_HOME}
    rm -r ${CLUSTER_HOME}`);
  const added = [...await installedPackages()]
    .filter((name) => !before.has(name));
  if (added.length === 0) return;
  console.log(`  ${added.length} Debian packages
    apt-get purge ${added.join(" ")}`);
}

async function installedPackages(): Promise<Set<string>> {
  const format = "${db:Status-Abbrev}${Package}\n";
  const text = succeeded(await run("dpkg-query", ["-W", "-f", format]));
  return new Set(
    text.split("\n").filter((line) => line.startsWith("ii "))
      .map((line) => line.slice(3)),
  );
}
