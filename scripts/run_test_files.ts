/** Runs test files with `deno test`, counts, and measures. */
import { fileURLToPath } from "node:url";
import type { ProgramForm } from "../test/cluster/program_form.ts";
import { endedWithin } from "../test/cluster/ended_within.ts";
import { outputWithin } from "../test/cluster/output_within.ts";
import {
  type FailedTest,
  failedTests,
  fileSeconds,
  readJunit,
  type TestCounts,
} from "./read_junit.ts";

/** What files took that one `deno test` ran. */
export interface RunTime {
  readonly title: string;
  readonly seconds: number;
  /** Of the tests and what they started, but for the cluster. Undefined where no shell can tell. */
  readonly cpuSeconds: number | undefined;
  /** Of each file, by the clock. */
  readonly files: readonly {
    readonly file: string;
    readonly seconds: number;
  }[];
}

export interface FailedRun extends FailedTest {
  readonly options: RunOptions;
}

export interface TestOutcome {
  readonly counts: TestCounts;
  readonly failed: readonly FailedRun[];
  readonly times: readonly RunTime[];
}

export interface RunOptions {
  /** Of the ktctl that they start. */
  readonly form: ProgramForm;
  readonly env?: Readonly<Record<string, string>>;
  /** @default its files */
  readonly title?: string;
  /** Whether the output is shown as it comes, not at the end in one piece. @default true */
  readonly isShown?: boolean;
  /** The folder of its report. @default dist/junit */
  readonly reports?: string;
  /** What has not ended by then is killed, and has failed. @default {@link MAX_RUN_MS} */
  readonly timeoutMs?: number;
}

export const NO_TESTS: TestOutcome = {
  counts: { passed: 0, failed: 0, skipped: 0 },
  failed: [],
  times: [],
};

const root = new URL("../", import.meta.url);

/** Each run's report is kept here. */
const REPORTS = fileURLToPath(new URL("dist/junit", root));

/**
 * Runs the rest of its arguments; writes their processor time into the first one. Our own output, which
 * `time` needs for that, is closed for them: a server that they leave running would hold it open.
 */
const TIMED =
  '{ TIMEFORMAT="%U %S"; time "$@" 2>&3 3>&-; } 3>&2 2>"$0"; exit "$?"';

/** Several times what the longest takes on a busy machine: what hangs is not to keep all others from running. */
const MAX_RUN_MS = 20 * 60_000;

/** In place of a test's name, of a file that was killed. */
const ALL = "all of it";

let count = 0;

/** Of earlier runs. */
export async function removeReports(): Promise<void> {
  await Deno.remove(REPORTS, { recursive: true }).catch(() => {});
  await Deno.mkdir(REPORTS, { recursive: true });
}

/** @param args Of `deno test`: files, `--parallel`, `--filter=…` */
export async function runTestFiles(
  args: readonly string[],
  options: RunOptions,
): Promise<TestOutcome> {
  const { form, env = {}, isShown = true, reports = REPORTS } = options;
  const { timeoutMs = MAX_RUN_MS } = options;
  await Deno.mkdir(reports, { recursive: true });
  const report = `${reports}/${String(++count).padStart(3, "0")}.xml`;
  const times = `${report}.times`;
  const deno = [
    ...[Deno.execPath(), "test", "-A", `--junit-path=${report}`],
    "--no-check", // types are checked by `deno task check`, once for all
    ...args,
  ];
  const [program = "", ...rest] = Deno.build.os === "windows"
    ? deno
    : ["bash", "-c", TIMED, times, ...deno];
  const begin = performance.now();
  const stdio = isShown ? "inherit" : "piped";
  const command = new Deno.Command(program, {
    args: rest,
    cwd: root,
    env: { KTCTL_TEST_PROGRAM: form, ...env },
    stdout: stdio,
    stderr: stdio,
  });
  const title = options.title ?? args.join(" ");
  const child = command.spawn();
  const { code, isLate } = isShown
    ? await endedWithin(child, timeoutMs)
    : await outputWithin(child, timeoutMs).then((output) => {
      console.log(`\n--- ${title} ---`);
      const text = new TextDecoder();
      console.log(text.decode(output.stdout) + text.decode(output.stderr));
      return output;
    });
  const late = `killed, as it did not end within ${timeoutMs / 60_000} min`;
  if (isLate) console.error(`${title}: ${late}`);
  const seconds = (performance.now() - begin) / 1000;
  const xml = await Deno.readTextFile(report).catch(() => "");
  const counts = readJunit(xml);
  // an error outside of any test, in a module's own code, say
  const isBroken = code !== 0 && counts.failed === 0;
  return {
    counts: isBroken ? { ...counts, failed: 1 } : counts,
    failed: [
      ...failedTests(xml),
      ...isLate && args.length === 1
        ? [{ file: args[0]!, name: ALL, cases: 1, reasons: [late] }]
        : [],
    ].map((test) => ({ ...test, options })),
    times: [{
      title: isLate ? `${title}: ${late}` : title,
      seconds,
      cpuSeconds: await cpuSecondsOf(times),
      files: fileSeconds(xml),
    }],
  };
}

async function cpuSecondsOf(file: string): Promise<number | undefined> {
  try {
    const text = await Deno.readTextFile(file);
    await Deno.remove(file);
    const [user = NaN, system = NaN] = text.trim().split("\n").at(-1)!
      .split(" ").map(Number);
    return Number.isFinite(user + system) ? user + system : undefined;
  } catch {
    return undefined; // no shell
  }
}

/** Runs tests once more, each by itself. */
export async function runAgain(
  tests: readonly FailedRun[],
): Promise<
  { passed: string[]; change: TestCounts; failed: readonly FailedTest[] }
> {
  const passed: string[] = [];
  const failures: FailedTest[] = [];
  let { counts: change } = NO_TESTS;
  for (const { file, name, cases, options } of tests) {
    const what = name === ALL ? file : name;
    console.log(`\nonce more, by itself: ${what}`);
    const { counts, failed } = await runTestFiles(
      [...name === ALL ? [] : [`--filter=${name}`], file],
      { ...options, isShown: true },
    );
    failures.push(...failed);
    if (counts.failed > 0 || counts.passed === 0) continue;
    passed.push(`${what} (${options.form})`);
    change = addCounts(change, { passed: cases, failed: -cases, skipped: 0 });
  }
  return { passed, change, failed: failures };
}

export function add(one: TestOutcome, other: TestOutcome): TestOutcome {
  return {
    counts: addCounts(one.counts, other.counts),
    failed: [...one.failed, ...other.failed],
    times: [...one.times, ...other.times],
  };
}

export function addCounts(one: TestCounts, other: TestCounts): TestCounts {
  return {
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    skipped: one.skipped + other.skipped,
  };
}
