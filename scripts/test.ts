/**
 * `deno task test [group…] [file name part…]`: runs all tests that this machine can, names what it
 * leaves out and why, and ends with a line `N passed, N failed`.
 */
import { run as runCommand } from "../test/cluster/command.ts";
import { TextLineStream } from "../test/cluster/text_line_stream.ts";
import { readJunit, type TestCounts } from "./read_junit.ts";

interface Group {
  readonly name: string;
  readonly folder: string;
  /** Why this machine cannot run it; undefined where it can. */
  readonly obstacle: () => string | undefined;
  /** Files that run at the same time as the others, each lane with an environment of its own. */
  readonly lanes?: () => readonly Lane[];
}

/** Tests run one after the other. */
interface Lane {
  readonly has: (file: string) => boolean;
  readonly env: Readonly<Record<string, string>>;
  /** Runs before; returns what to do after it. */
  readonly prepare: () => Promise<() => Promise<void>>;
}

const root = new URL("../", import.meta.url);

const GROUPS: readonly Group[] = [
  { name: "unit", folder: "test/unit", obstacle: () => undefined },
  { name: "netns", folder: "test/netns", obstacle: linuxRoot },
  {
    name: "cluster",
    folder: "test/cluster",
    obstacle: () =>
      Deno.env.get("KTCTL_TEST_KUBECONFIG") ? undefined : debianRoot(),
    lanes: clusterLanes,
  },
];

/** Waiting is most of what these tests do: two clusters halve the time. */
const SECOND_LANE =
  /\/(connect|forward|two_users|preview|clean|recover|drift|contract)_/;

const ONE_LANE: Lane = {
  has: () => true,
  env: {},
  prepare: () => Promise.resolve(async () => {}),
};

/** A cluster that was named is one; of our own there are two. */
function clusterLanes(): readonly Lane[] {
  if (Deno.env.get("KTCTL_TEST_KUBECONFIG")) return [ONE_LANE];
  const slot = Number(Deno.env.get("K8S_SLOT") ?? 0);
  return [
    { slot, has: (file: string) => !SECOND_LANE.test(file) },
    { slot: slot + 1, has: (file: string) => SECOND_LANE.test(file) },
  ].map(({ slot, has }) => {
    const env = { K8S_SLOT: `${slot}` };
    return { has, env, prepare: () => prepareCluster(env) };
  });
}

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
async function prepareCluster(
  env: Record<string, string>,
): Promise<() => Promise<void>> {
  const script = new URL("test/cluster/cluster.sh", root).pathname;
  const before = await runCommand("bash", [script, "status"], { env });
  const keep = before.code === 0 || Deno.env.get("KTCTL_TEST_KEEP_CLUSTER");
  const control = async (verb: string) => {
    const command = new Deno.Command("bash", { args: [script, verb], env });
    const { code } = await command.spawn().status;
    if (code !== 0) throw new Error(`cluster.sh ${verb} ended with ${code}`);
  };
  const down = async () => {
    if (!keep) await control("down");
  };
  try {
    await control("up");
  } catch (error) {
    await down();
    throw error;
  }
  return down;
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

/** The lanes of a group side by side. Where there are several, each line tells whose it is. */
async function runGroup(group: Group, files: string[]): Promise<TestCounts> {
  const lanes = (group.lanes?.() ?? [ONE_LANE])
    .map((lane) => ({ lane, files: files.filter(lane.has) }))
    .filter(({ files }) => files.length > 0);
  const ends: (() => Promise<void>)[] = [];
  try {
    // one after the other: the first builds what both need
    for (const { lane } of lanes) ends.push(await lane.prepare());
    const counts = await Promise.all(
      lanes.map(({ lane, files }, at) =>
        runLane(files, lane, lanes.length > 1 ? `${at + 1}| ` : undefined)
      ),
    );
    return counts.reduce((sum, one) => ({
      passed: sum.passed + one.passed,
      failed: sum.failed + one.failed,
      skipped: sum.skipped + one.skipped,
    }));
  } finally {
    for (const end of ends) await end();
  }
}

async function runLane(
  files: string[],
  { env }: Lane,
  prefix: string | undefined,
): Promise<TestCounts> {
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  const stdio = prefix === undefined ? "inherit" : "piped";
  try {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", `--junit-path=${report}`, ...files],
      cwd: root,
      env,
      stdout: stdio,
      stderr: stdio,
    }).spawn();
    if (prefix !== undefined) {
      await Promise.all([child.stdout, child.stderr].map(async (stream) => {
        const lines = stream.pipeThrough(new TextDecoderStream())
          .pipeThrough(new TextLineStream());
        for await (const line of lines) console.log(`${prefix}${line}`);
      }));
    }
    const { code } = await child.status;
    const counts = readJunit(await Deno.readTextFile(report));
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
const total = { passed: 0, failed: 0, skipped: 0 };
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
    const { passed, failed, skipped } = await runGroup(group, files).catch(
      (error: Error) => {
        console.error(`\n${error.message}`);
        return { passed: 0, failed: 1, skipped: 0 };
      },
    );
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
    lines.push(
      `${group.name}: ${passed} passed, ${failed} failed, ${skipped} skipped`,
    );
  }
}
console.log(`\n${lines.join("\n")}`);
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
Deno.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);
