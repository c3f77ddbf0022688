/** Runs the tests of the cluster: on the current Kubernetes all of them, on the oldest a set. */
import { removeClientPod } from "../test/cluster/client_pod.ts";
import {
  bringUp,
  CLUSTER_SCRIPT,
  openTestCluster,
} from "../test/cluster/cluster.ts";
import { run as runCommand } from "../test/cluster/command.ts";
import type { ProgramForm } from "../test/cluster/program_form.ts";
import { mustSucceed } from "./must_succeed.ts";
import {
  add,
  NO_TESTS,
  runTestFiles,
  type TestOutcome,
} from "./run_test_files.ts";
import { testRuns } from "./test_runs.ts";

const CURRENT = "1.37";
const OLDEST = "1.20";

/** What fills both processors by itself, or measures: nothing runs beside it. */
const ALONE = /\/(many_connections|mesh_load|signals|silent_link)_test/;

/**
 * What stops servers of the cluster or changes what belongs to all namespaces: one after the other, on a
 * cluster of their own beside the others'.
 */
const APART =
  /\/(api_server_restart|barred_proxy|conformance|connect_(end|names|ranges|service_cidrs)|faults|killed_\w+|lost_link|mesh_(manual|router_(death|return)))_test/;

/** Every verb, its end, kill -9, what takes back, what is refused, and what old API versions are for. */
const ON_OLDEST =
  /\/(bad_input|clean|connect_(ranges|user)|every_verb|killed_client|mesh_manual|smoke)_test/;

/** On clusters of both IP families, and of IPv6 alone. */
const ON_STACKS = /\/dual_stack_test/;

const ON_TWO_NODES = /\/two_nodes_test/;

/** What takes longest begins first, so that nothing long is left for the end. */
const LONG =
  /\/(connect_reach|connect_share|completion|drift|failing_start|keep_replicas|mesh|mesh_many|mesh_protocols|rbac|restore_after|two_users)_test/;

/** Test files that run at a time on one cluster. They wait most of the time. */
const SIDE_BY_SIDE = 2;

/** Each takes less than four minutes where the machine has nothing else to do. */
const MAX_FILE_MS = 12 * 60_000;

/** One of cluster.sh. */
interface OwnCluster {
  readonly version: string;
  readonly slot: number;
  /** @default "ipv4" */
  readonly stack?: "ipv4" | "dual" | "ipv6";
  /** @default 1 */
  readonly nodes?: 1 | 2;
}

interface Job {
  readonly file: string;
  readonly form: ProgramForm;
}

const chosen = Deno.env.get("KTCTL_TEST_KUBERNETES");
const slot = Number(Deno.env.get("K8S_SLOT") || 0);
const version = chosen || CURRENT;
const main: OwnCluster = { version, slot };
/** Beside the first. */
const second: OwnCluster = { version, slot: (slot + 1) % 10 };
const oldest: OwnCluster = { version: OLDEST, slot };
/** Of another kind, for a few files each, one after the other. What failed on one is run on it once more. */
const specials: readonly (readonly [files: RegExp, OwnCluster])[] = [
  [ON_TWO_NODES, { version, slot: (slot + 2) % 10, nodes: 2 }],
  ...version === OLDEST ? [] : [
    [ON_STACKS, { version, slot: (slot + 3) % 10, stack: "dual" }],
    [ON_STACKS, { version, slot: (slot + 4) % 10, stack: "ipv6" }],
  ] as const,
];

const isOwn = !Deno.env.get("KTCTL_TEST_KUBECONFIG");

/** Begins what takes longest and needs nobody: the servers, unless they are there. */
export function buildAhead(): Promise<void> {
  if (!isOwn) return Promise.resolve();
  const script = CLUSTER_SCRIPT.replace(/cluster\.sh$/, "build.sh");
  return new Deno.Command("nice", {
    args: ["-n", "19", "bash", script],
    env: { KTCTL_TEST_KUBERNETES: version },
    stdout: "null",
    stderr: "null",
  }).spawn().status.then(() => {}); // `up` tells why it cannot be built
}

/** @param form Of ktctl, where all is to run with that one */
export async function runClusterSuite(
  files: readonly string[],
  form: ProgramForm | undefined,
  prepare: (forms: ReadonlySet<ProgramForm>) => Promise<void>,
  built: Promise<void>,
): Promise<TestOutcome> {
  const jobs = testRuns(files, ALONE, { form })
    .flatMap(({ files, form }) => files.map((file) => ({ file, form })));
  const old = chosen || !isOwn ? [] : files
    .filter((file) => ON_OLDEST.test(file))
    .map((file): Job => ({ file, form: form ?? "bundle" }));
  const forms = new Set([...jobs, ...old].map(({ form }) => form));
  await prepare(forms);
  if (forms.has("bundle")) await shareBundle();
  const alone = jobs.filter(({ file }) => ALONE.test(file));
  const apart = jobs.filter(({ file }) => APART.test(file));
  const isSpecial = ({ file }: Job) =>
    isOwn && specials.some(([files]) => files.test(file));
  const others = jobs.filter((job) =>
    ![...alone, ...apart].includes(job) && !isSpecial(job)
  ).sort((a, b) => +LONG.test(b.file) - +LONG.test(a.file));
  if (!isOwn) {
    try {
      const both = await runJobs(others, SIDE_BY_SIDE);
      return add(both, await runJobs([...apart, ...alone], 1));
    } finally {
      await removeClientPod(await openTestCluster());
    }
  }
  const queue = [...others];
  const lanes = await Promise.all([
    // a second build beside the first one, of what is smaller
    on(oldest, old, 1).then(async (outcome) => {
      await built;
      let all = add(outcome, await on(second, apart, 1));
      for (const [files, cluster] of specials) {
        const its = jobs.filter(({ file }) => files.test(file));
        all = add(all, await on(cluster, its, 1));
      }
      // done with clusters of other kinds, it takes of the rest
      return add(all, await on(main, queue, 1));
    }),
    built.then(() => on(main, queue, SIDE_BY_SIDE)),
  ]);
  return add(lanes.reduce(add), await on(main, alone, 1));
}

/** Gives it to all test files at one place. */
async function shareBundle(): Promise<void> {
  bundleFolder = await Deno.makeTempDir({ prefix: "ktctl-program-" });
  await Deno.chmod(bundleFolder, 0o755); // other users run it as well
  const bundle = new URL("../dist/ktctl.js", import.meta.url);
  await Deno.copyFile(bundle, `${bundleFolder}/ktctl.js`);
  Deno.env.set("KTCTL_TEST_BUNDLE_FOLDER", bundleFolder);
}

let bundleFolder: string | undefined;

/** Ends what was left running for tests that are run once more. */
export async function endClusters(): Promise<void> {
  for (const cluster of left.splice(0)) {
    await mustSucceed("bash", [CLUSTER_SCRIPT, "down"], settings(cluster));
  }
  if (bundleFolder !== undefined) {
    await Deno.remove(bundleFolder, { recursive: true });
  }
}

const left: OwnCluster[] = [];

function settings(
  { version, slot, stack = "ipv4", nodes = 1 }: OwnCluster,
): Record<string, string> {
  return {
    KTCTL_TEST_KUBERNETES: version,
    K8S_SLOT: String(slot),
    K8S_STACK: stack,
    K8S_NODES: String(nodes),
  };
}

/** Starts the cluster if it is not running, and ends it again in that case, unless tests failed on it. */
async function on(
  cluster: OwnCluster,
  jobs: Job[],
  atATime: number,
): Promise<TestOutcome> {
  if (jobs.length === 0) return NO_TESTS;
  const env = settings(cluster);
  const before = await runCommand("bash", [CLUSTER_SCRIPT, "status"], { env });
  const keep = before.code === 0 || Deno.env.get("KTCTL_TEST_KEEP_CLUSTER");
  if (!keep) left.push(cluster);
  try {
    const opened = await bringUp(env);
    const outcome = await runJobs(jobs, atATime, {
      ...env,
      KTCTL_TEST_CLUSTER_ENV: opened,
    });
    const isNeeded = cluster === main || outcome.failed.length > 0;
    if (keep || isNeeded) return outcome;
    await mustSucceed("bash", [CLUSTER_SCRIPT, "down"], env);
    left.splice(left.indexOf(cluster), 1);
    return outcome;
  } catch (error) {
    // the others go on
    console.error(
      `\nKubernetes ${cluster.version}: ${(error as Error).message}`,
    );
    return { ...NO_TESTS, counts: { ...NO_TESTS.counts, failed: 1 } };
  }
}

/** Takes them from `queue`, which others may do at the same time. */
async function runJobs(
  queue: Job[],
  atATime: number,
  env: Record<string, string> = {},
): Promise<TestOutcome> {
  const workers = Array.from({ length: atATime }, () => runQueue(queue, env));
  return (await Promise.all(workers)).reduce(add, NO_TESTS);
}

async function runQueue(
  queue: Job[],
  env: Record<string, string>,
): Promise<TestOutcome> {
  let outcome = NO_TESTS;
  for (let job; (job = queue.shift()) !== undefined;) {
    const { file, form } = job;
    const { KTCTL_TEST_KUBERNETES: version, K8S_STACK, K8S_NODES } = env;
    const where = [
      ...[form, version, K8S_STACK === "ipv4" ? undefined : K8S_STACK],
      K8S_NODES === "2" ? "two nodes" : undefined,
    ];
    const title = `${file} (${where.filter(Boolean).join(", ")})`;
    const run = await runTestFiles([file], {
      ...{ form, env, title, isShown: false, timeoutMs: MAX_FILE_MS },
    });
    outcome = add(outcome, run);
    if (!isOwn || run.counts.failed === 0) continue;
    // it may have left something of the cluster stopped; if that stays so, the next ones tell by themselves
    await bringUp(env).catch((error: Error) => console.error(error.message));
  }
  return outcome;
}
