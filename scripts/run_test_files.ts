/** Runs test files with `deno test`, and counts. */
import type { ProgramForm } from "../test/cluster/program_form.ts";
import {
  type FailedTest,
  failedTests,
  readJunit,
  slowestTests,
  type TestCounts,
} from "./read_junit.ts";

export interface TestOutcome {
  readonly counts: TestCounts;
  readonly failed: readonly (FailedTest & { readonly form: ProgramForm })[];
}

export const NO_TESTS: TestOutcome = {
  counts: { passed: 0, failed: 0, skipped: 0 },
  failed: [],
};

const root = new URL("../", import.meta.url);

/** Of files with `--parallel`. Tests of the cluster wait most of the time. */
const SIDE_BY_SIDE = "2";

/**
 * @param args Of `deno test`: files, `--parallel`, `--filter=…`
 * @param form Of the ktctl that they start
 */
export async function runTestFiles(
  args: string[],
  form: ProgramForm,
): Promise<TestOutcome> {
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    const { code } = await new Deno.Command(Deno.execPath(), {
      // types are checked by `deno task check`, once for all
      args: ["test", "-A", "--no-check", `--junit-path=${report}`, ...args],
      cwd: root,
      env: { DENO_JOBS: SIDE_BY_SIDE, KTCTL_TEST_PROGRAM: form },
    }).spawn().status;
    const xml = await Deno.readTextFile(report);
    for (const { name, seconds } of slowestTests(xml, 10)) {
      console.log(`${seconds.toFixed().padStart(5)} s  ${name}`);
    }
    const counts = readJunit(xml);
    // an error outside of any test, in a module's own code, say
    const isBroken = code !== 0 && counts.failed === 0;
    return {
      counts: isBroken ? { ...counts, failed: 1 } : counts,
      failed: failedTests(xml).map((test) => ({ ...test, form })),
    };
  } finally {
    await Deno.remove(report);
  }
}

/** Runs tests once more, each by itself. */
export async function runAgain(
  tests: TestOutcome["failed"],
): Promise<
  { passed: string[]; change: TestCounts; failed: readonly FailedTest[] }
> {
  const passed: string[] = [];
  const failures: FailedTest[] = [];
  let { counts: change } = NO_TESTS;
  for (const { file, name, cases, form } of tests) {
    console.log(`\nonce more, by itself: ${name}`);
    const { counts, failed } = await runTestFiles(
      [`--filter=${name}`, file],
      form,
    );
    failures.push(...failed);
    if (counts.failed > 0 || counts.passed === 0) continue;
    passed.push(form === "source" ? name : `${name} (${form})`);
    change = addCounts(change, { passed: cases, failed: -cases, skipped: 0 });
  }
  return { passed, change, failed: failures };
}

export function add(one: TestOutcome, other: TestOutcome): TestOutcome {
  return {
    counts: addCounts(one.counts, other.counts),
    failed: [...one.failed, ...other.failed],
  };
}

export function addCounts(one: TestCounts, other: TestCounts): TestCounts {
  return {
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    skipped: one.skipped + other.skipped,
  };
}
