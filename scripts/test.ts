/**
 * `deno task test [group…] [file name part…]`: runs all tests that this machine can, names what it
 * leaves out and why, and ends with a line `N passed, N failed`.
 */
import { fileURLToPath } from "node:url";
import { removeClientPod } from "../test/cluster/client_pod.ts";
import { CLUSTER_SCRIPT, openTestCluster } from "../test/cluster/cluster.ts";
import { run as runCommand } from "../test/cluster/command.ts";
import {
  PROGRAM_FORM,
  type ProgramForm,
} from "../test/cluster/program_form.ts";
import type { FailedTest, TestCounts } from "./read_junit.ts";
import {
  add,
  addCounts,
  NO_TESTS,
  runAgain,
  runTestFiles,
} from "./run_test_files.ts";
import { testRuns } from "./test_runs.ts";

interface Group {
  readonly name: string;
  readonly folder: string;
  /** Why this machine cannot run it; undefined where it can. */
  readonly obstacle: () => string | undefined;
  /** Files that run by themselves, after all others ran side by side. @default all, one by one */
  readonly alone?: RegExp;
  /** What fails is run once more by itself, and told if it passes then. @default false */
  readonly runsAgain?: boolean;
  /** Runs before the group; returns what to do after it. */
  readonly prepare?: () => Promise<() => Promise<void>>;
}

const root = new URL("../", import.meta.url);

/** Of ktctl, where all is to run with that one. */
const FORM = Deno.env.get("KTCTL_TEST_PROGRAM") ? PROGRAM_FORM : undefined;

/**
 * What stops servers of the cluster, changes what belongs to all namespaces, fills both processors
 * by itself, or measures.
 */
const CLUSTER_ALONE =
  /\/(api_server_restart|barred_proxy|conformance|connect_(end|names|ranges|service_cidrs)|killed_\w+|lost_link|many_connections|mesh_(load|manual|router_death)|signals)_test/;

/**
 * What measures the whole process or changes its environment, as test files that run side by side share
 * one; or fills the processors.
 */
const UNIT_ALONE = /\/(finished_ciphers|flood|socks|start_helper)_test/;

/** No file's path. */
const NONE = /^$/;

/**
 * More failures than this are no accident. Fewer may be: a cluster and its tests share two processors,
 * and each test has the cluster's own deadlines in it.
 */
const MAX_RUN_AGAIN = 3;

const GROUPS: readonly Group[] = [
  {
    name: "unit",
    folder: "test/unit",
    obstacle: () => undefined,
    alone: UNIT_ALONE,
  },
  // each test makes network namespaces of its own
  { name: "netns", folder: "test/netns", obstacle: linuxRoot, alone: NONE },
  {
    name: "cluster",
    folder: "test/cluster",
    obstacle: () =>
      Deno.env.get("KTCTL_TEST_KUBECONFIG") ? undefined : debianRoot(),
    alone: CLUSTER_ALONE,
    runsAgain: true,
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

/** In `dist`, of the sources as they are now. */
async function makeReleased(forms: ReadonlySet<ProgramForm>): Promise<void> {
  const make = async (script: string, ...args: string[]) => {
    const file = fileURLToPath(new URL(`scripts/${script}`, root));
    await succeed(Deno.execPath(), ["run", "-A", file, ...args]);
  };
  // the other two make the bundle as well
  if (forms.has("npm")) await make("npm.ts");
  if (forms.has("portable")) await make("compile.ts", "--portable");
  else if (forms.has("bundle") || forms.has("url")) await make("bundle.ts");
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
  { alone = /^/, runsAgain = false, prepare }: Group,
  files: string[],
): Promise<TestCounts> {
  const after = await prepare?.();
  try {
    const runs = testRuns(files, alone, { form: FORM });
    await makeReleased(new Set(runs.map(({ form }) => form)));
    let outcome = NO_TESTS;
    for (const { files, form, isParallel } of runs) {
      if (form !== "source") console.log(`\n--- ${form} ---`);
      const flags = isParallel ? ["--parallel"] : [];
      const run = await runTestFiles([...flags, ...files], form);
      outcome = add(outcome, run);
    }
    const { counts, failed } = outcome;
    failures.push(...failed);
    if (!runsAgain || failed.length > MAX_RUN_AGAIN) return counts;
    const again = await runAgain(failed);
    failures.push(...again.failed);
    passedAgain.push(...again.passed);
    return addCounts(counts, again.change);
  } finally {
    await after?.();
  }
}

/** All that failed, also if it passed then. */
const failures: FailedTest[] = [];
/** Tests that failed at first. */
const passedAgain: string[] = [];

const names = GROUPS.map(({ name }) => name);
const wanted = Deno.args.filter((arg) => names.includes(arg));
const parts = Deno.args.filter((arg) => !names.includes(arg));
let total = NO_TESTS.counts;
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
      return { ...NO_TESTS.counts, failed: 1 };
    });
    total = addCounts(total, counts);
    const { passed, failed, skipped } = counts;
    lines.push(
      `${group.name}: ${passed} passed, ${failed} failed, ${skipped} skipped`,
    );
  }
}
// once more, where a log that is cut in its middle has them still
for (const { file, name, reasons } of failures) {
  console.log(`\n${file} => ${name}\n${reasons.join("\n")}`);
}
console.log(`\n${lines.join("\n")}`);
for (const name of passedAgain) {
  console.log(`failed, and passed when run once more by itself: ${name}`);
}
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
Deno.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);
