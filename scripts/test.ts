/**
 * `deno task test [--shard=i/n] [group…] [file name part…]`: runs all tests that this machine can, or the
 * i-th of n parts of them, names what it leaves out and why, and ends with a line `N passed, N failed`.
 * What each file took comes before it, and stays with all results in `dist/junit`.
 */
import { fileURLToPath } from "node:url";
import {
  PROGRAM_FORM,
  type ProgramForm,
} from "../test/cluster/program_form.ts";
import { buildAhead, endClusters, runClusterSuite } from "./cluster_suite.ts";
import { mustSucceed } from "./must_succeed.ts";
import type { FailedTest, TestCounts } from "./read_junit.ts";
import {
  add,
  addCounts,
  NO_TESTS,
  removeReports,
  runAgain,
  runTestFiles,
  type RunTime,
  type TestOutcome,
} from "./run_test_files.ts";
import { isOfShard, readShard } from "./shard.ts";
import { testRuns, UNIT_ALONE } from "./test_runs.ts";
import { timesTable } from "./test_times.ts";

interface Group {
  readonly name: string;
  readonly folder: string;
  /** Why this machine cannot run it; undefined where it can. */
  readonly obstacle: () => string | undefined;
  readonly run: (files: readonly string[]) => Promise<TestOutcome>;
  /** Runs at the end, whatever came before it. */
  readonly end?: () => Promise<void>;
  /** What fails is run once more by itself, and told if it passes then. @default false */
  readonly runsAgain?: boolean;
}

const root = new URL("../", import.meta.url);

/** Of ktctl, where all is to run with that one. */
const FORM = Deno.env.get("KTCTL_TEST_PROGRAM") ? PROGRAM_FORM : undefined;

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
    run: (files) => runInTurn(files, { alone: UNIT_ALONE, atATime: 3 }),
  },
  // each test makes network namespaces of its own
  {
    name: "netns",
    folder: "test/netns",
    obstacle: linuxRoot,
    run: (files) => runInTurn(files, { alone: NONE, atATime: 2 }),
  },
  {
    name: "cluster",
    folder: "test/cluster",
    obstacle: () =>
      Deno.env.get("KTCTL_TEST_KUBECONFIG") ? undefined : debianRoot(),
    run: (files) => runClusterSuite(files, FORM, makeReleased, built),
    end: endClusters,
    runsAgain: true,
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

/** In `dist`, of the sources as they are now. */
async function makeReleased(forms: ReadonlySet<ProgramForm>): Promise<void> {
  const make = async (script: string, ...args: string[]) => {
    const file = fileURLToPath(new URL(`scripts/${script}`, root));
    await mustSucceed(Deno.execPath(), ["run", "-A", file, ...args]);
  };
  // the other two make the bundle as well
  if (forms.has("npm")) await make("npm.ts");
  if (forms.has("portable")) await make("compile.ts", "--portable");
  else if (forms.has("bundle") || forms.has("url")) await make("bundle.ts");
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

async function runInTurn(
  files: readonly string[],
  { alone, atATime }: {
    /** These run by themselves, after all others ran side by side. */
    alone: RegExp;
    /** A third of the time a file waits. */
    atATime: number;
  },
): Promise<TestOutcome> {
  const runs = testRuns(files, alone, { form: FORM });
  await makeReleased(new Set(runs.map(({ form }) => form)));
  let outcome = NO_TESTS;
  for (const { files, form, isParallel } of runs) {
    const flags = isParallel ? ["--parallel"] : [];
    const title = `${files.length} files ${isParallel ? "at once" : "alone"}`;
    const run = await runTestFiles([...flags, ...files], {
      form,
      env: { DENO_JOBS: String(atATime) },
      title: `${files[0]!.split("/").slice(0, 2).join("/")}: ${title}`,
    });
    outcome = add(outcome, run);
  }
  return outcome;
}

async function runGroup(
  { runsAgain = false, run, end }: Group,
  files: readonly string[],
): Promise<TestCounts> {
  try {
    const { counts, failed, times } = await run(files);
    failures.push(...failed);
    allTimes.push(...times);
    if (!runsAgain || failed.length > MAX_RUN_AGAIN) return counts;
    const again = await runAgain(failed);
    failures.push(...again.failed);
    passedAgain.push(...again.passed);
    return addCounts(counts, again.change);
  } finally {
    await end?.();
  }
}

/** All that failed, also if it passed then. */
const failures: FailedTest[] = [];
/** Tests that failed at first. */
const passedAgain: string[] = [];

const allTimes: RunTime[] = [];

const names = GROUPS.map(({ name }) => name);
const { shard, rest } = readShard(Deno.args);
const wanted = rest.filter((arg) => names.includes(arg));
const parts = rest.filter((arg) => !names.includes(arg));
await removeReports();
const needsCluster = debianRoot() === undefined &&
  (wanted.length === 0 || wanted.includes("cluster")) &&
  (await testFiles("test/cluster", parts)).length > 0;
const built = needsCluster ? buildAhead() : Promise.resolve();
let total = NO_TESTS.counts;
const lines: string[] = [];
for (const group of GROUPS) {
  if (wanted.length > 0 && !wanted.includes(group.name)) continue;
  const files = (await testFiles(group.folder, parts))
    .filter((_, at) => isOfShard(at, shard));
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
console.log(`\n${timesTable(allTimes)}`);
console.log(`\n${lines.join("\n")}`);
for (const name of passedAgain) {
  console.log(`failed, and passed when run once more by itself: ${name}`);
}
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
Deno.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);
