/**
 * `deno task test [group…] [file name part…]`: runs all tests that this machine can, names what it
 * leaves out and why, and ends with a line `N passed, N failed`.
 */
import { removeClientPod } from "../test/cluster/client_pod.ts";
import { CLUSTER_SCRIPT, openTestCluster } from "../test/cluster/cluster.ts";
import { run as runCommand } from "../test/cluster/command.ts";
import { readJunit, slowestTests, type TestCounts } from "./read_junit.ts";

interface Group {
  readonly name: string;
  readonly folder: string;
  /** Why this machine cannot run it; undefined where it can. */
  readonly obstacle: () => string | undefined;
  /** Files that run by themselves, after all others ran side by side. @default all, one by one */
  readonly alone?: RegExp;
  /** Runs before the group; returns what to do after it. */
  readonly prepare?: () => Promise<() => Promise<void>>;
}

const root = new URL("../", import.meta.url);

/**
 * What stops servers of the cluster, changes what belongs to all namespaces, fills both processors
 * by itself, or measures.
 */
const CLUSTER_ALONE =
  /\/(api_server_restart|conformance|connect_(end|names|ranges)|killed_\w+|lost_link|many_connections|mesh_(load|manual|router_death)|signals)_test/;

/** Tests of the cluster wait most of the time. */
const SIDE_BY_SIDE = "2";

const GROUPS: readonly Group[] = [
  { name: "unit", folder: "test/unit", obstacle: () => undefined },
  { name: "netns", folder: "test/netns", obstacle: linuxRoot },
  {
    name: "cluster",
    folder: "test/cluster",
    obstacle: () =>
      Deno.env.get("KTCTL_TEST_KUBECONFIG") ? undefined : debianRoot(),
    alone: CLUSTER_ALONE,
    prepare: prepareCluster,
  },
];

function linuxRoot(): string | undefined {
  if (Deno.build.os !== "linux") return `needs Linux, this is ${Deno.build.os}`;
  return Deno.uid() === 0 ? undefined : "needs root";
}

function debianRoot(): string | undefined {
  const obstacle = linuxRoot();
  if (obstacle !== undefined) {
    return `${obstacle}; or name a cluster in KTCTL_TEST_KUBECONFIG`;
  }
  try {
    Deno.statSync("/usr/bin/apt-get");
    return undefined;
  } catch {
    return "needs Debian's apt; or name a cluster in KTCTL_TEST_KUBECONFIG";
  }
}

/** Starts our own cluster if it is not running, and ends it again in that case. */
async function prepareCluster(): Promise<() => Promise<void>> {
  if (Deno.env.get("KTCTL_TEST_KUBECONFIG")) {
    return async () => await removeClientPod(await openTestCluster());
  }
  const before = await runCommand("bash", [CLUSTER_SCRIPT, "status"]);
  const keep = before.code === 0 || Deno.env.get("KTCTL_TEST_KEEP_CLUSTER");
  const down = async () => {
    if (!keep) await succeed("bash", [CLUSTER_SCRIPT, "down"]);
  };
  try {
    await succeed("bash", [CLUSTER_SCRIPT, "up"]);
  } catch (error) {
    await down();
    throw error;
  }
  return down;
}

/** Runs a program with its output shown. */
async function succeed(program: string, args: string[]): Promise<void> {
  const { code } = await new Deno.Command(program, { args }).spawn().status;
  if (code === 0) return;
  throw new Error(`${program} ${args.join(" ")} ended with ${code}`);
}

async function testFiles(folder: string, parts: string[]): Promise<string[]> {
  const found: string[] = [];
  try {
    for await (const entry of Deno.readDir(new URL(`${folder}/`, root))) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory) found.push(...await testFiles(path, parts));
      else if (
        entry.name.endsWith("_test.ts") &&
        (parts.length === 0 || parts.some((part) => path.includes(part)))
      ) found.push(path);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return found.sort();
}

async function runGroup(
  { alone = /^/, prepare }: Group,
  files: string[],
): Promise<TestCounts> {
  const after = await prepare?.();
  try {
    const together = files.filter((file) => !alone.test(file));
    const others = files.filter((file) => alone.test(file));
    let counts = NONE;
    if (together.length > 0) {
      counts = add(counts, await runFiles(["--parallel", ...together]));
    }
    if (others.length > 0) counts = add(counts, await runFiles(others));
    return counts;
  } finally {
    await after?.();
  }
}

const NONE: TestCounts = { passed: 0, failed: 0, skipped: 0 };

function add(one: TestCounts, other: TestCounts): TestCounts {
  return {
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    skipped: one.skipped + other.skipped,
  };
}

async function runFiles(args: string[]): Promise<TestCounts> {
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    const { code } = await new Deno.Command(Deno.execPath(), {
      // types are checked by `deno task check`, once for all
      args: ["test", "-A", "--no-check", `--junit-path=${report}`, ...args],
      cwd: root,
      env: { DENO_JOBS: SIDE_BY_SIDE },
    }).spawn().status;
    const xml = await Deno.readTextFile(report);
    const counts = readJunit(xml);
    for (const { name, seconds } of slowestTests(xml, 10)) {
      console.log(`${seconds.toFixed().padStart(5)} s  ${name}`);
    }
    // an error outside of any test, in a module's own code, say
    return code !== 0 && counts.failed === 0
      ? { ...counts, failed: 1 }
      : counts;
  } finally {
    await Deno.remove(report);
  }
}

const names = GROUPS.map(({ name }) => name);
const wanted = Deno.args.filter((arg) => names.includes(arg));
const parts = Deno.args.filter((arg) => !names.includes(arg));
let total = NONE;
const lines: string[] = [];
for (const group of GROUPS) {
  if (wanted.length > 0 && !wanted.includes(group.name)) continue;
  const files = await testFiles(group.folder, parts);
  const obstacle = group.obstacle();
  if (files.length === 0) {
    lines.push(
      `${group.name}: has no tests${parts.length ? " of that name" : " yet"}`,
    );
  } else if (obstacle !== undefined) {
    lines.push(`${group.name}: skipped: ${obstacle}`);
  } else {
    console.log(`\n=== ${group.name} ===`);
    const counts = await runGroup(group, files).catch((error: Error) => {
      console.error(`\n${error.message}`);
      return { ...NONE, failed: 1 };
    });
    total = add(total, counts);
    const { passed, failed, skipped } = counts;
    lines.push(
      `${group.name}: ${passed} passed, ${failed} failed, ${skipped} skipped`,
    );
  }
}
console.log(`\n${lines.join("\n")}`);
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
Deno.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);
