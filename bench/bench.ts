/**
 * `deno task bench`: measures ktctl against its peers and prints a table; writes results/latest.json.
 *
 *   --only start,exchange,traffic,mesh,tun,connect,far   some groups alone
 *   --rounds 5                      rounds of each measurement
 *   --quick                         connect against kubectl alone, without delay: minutes less
 *   --program bundle                traffic through dist/ktctl.js instead of main.ts
 *   --json                          the JSON on stdout, the table not at all
 */
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { openTestCluster } from "../test/cluster/cluster.ts";
import { benchExchangeStart } from "./exchange_start_bench.ts";
import { benchConnect } from "./connect_bench.ts";
import type { CpuSeconds } from "./cpu_seconds.ts";
import {
  benchExchangeTraffic,
  type ExchangeTraffic,
} from "./exchange_traffic_bench.ts";
import { benchFar } from "./far_bench.ts";
import { type Figure, table } from "./figures.ts";
import { benchHelp } from "./help_bench.ts";
import { describeMachine, loadAverage } from "./machine.ts";
import { benchMesh } from "./mesh_bench.ts";
import { BUNDLE, MAIN } from "./programs.ts";
import { Testbed } from "./testbed.ts";
import { benchTun } from "./tun_bench.ts";

const HELP_ROUNDS = 15;

const { values: flags } = parseArgs({
  args: Deno.args,
  options: {
    only: {
      type: "string",
      default: "start,exchange,traffic,mesh,tun,connect,far",
    },
    rounds: { type: "string", default: "5" },
    quick: { type: "boolean", default: false },
    program: { type: "string", default: "main" },
    json: { type: "boolean", default: false },
  },
});
const groups = new Set(flags.only.split(","));
const rounds = Number(flags.rounds);
const began = performance.now();
const progress = (text: string) => {
  const seconds = Math.round((performance.now() - began) / 1000);
  console.error(`${String(seconds).padStart(4)} s  ${text}`);
};

const needsBed = ["exchange", "traffic", "connect", "far"].some((group) =>
  groups.has(group)
);
const cluster = needsBed || groups.has("mesh")
  ? await openTestCluster()
  : undefined;
const machine = await describeMachine(Deno.args, cluster);
const figures: Figure[] = [];
const cpu: Record<string, CpuSeconds> = {};
let repeated: Omit<ExchangeTraffic, "figures" | "cpu"> | undefined;
if (!existsSync(BUNDLE)) progress("no bundle: deno task bundle makes it");
if (groups.has("start")) {
  progress("ktctl --help");
  figures.push(...await benchHelp(HELP_ROUNDS));
}
if (groups.has("tun")) {
  progress("the packets of a TUN device");
  figures.push(...await benchTun(rounds));
}
if (cluster !== undefined && groups.has("mesh")) {
  progress("mesh: the router, and nginx doing the same");
  figures.push(...await benchMesh(cluster, rounds));
}
if (cluster !== undefined && needsBed) {
  await using bed = await Testbed.open(cluster);
  if (groups.has("exchange")) {
    progress("exchange, from Enter to ready");
    figures.push(...await benchExchangeStart(bed, rounds));
  }
  if (groups.has("connect")) {
    progress("connect, kubectl port-forward, ssh -D and sshuttle");
    const measured = await benchConnect(bed, { rounds, isQuick: flags.quick });
    figures.push(...measured.figures);
    Object.assign(cpu, measured.cpu);
  }
  if (groups.has("far")) {
    progress("one connection over a long way");
    const measured = await benchFar(bed, rounds);
    figures.push(...measured.figures);
    Object.assign(cpu, measured.cpu);
  }
  if (groups.has("traffic")) {
    progress("traffic through exchange and kubectl port-forward");
    const program = flags.program === "bundle" ? BUNDLE : MAIN;
    const measured = await benchExchangeTraffic(bed, { program, rounds });
    const { figures: ofTraffic, cpu: ofLast, ...rest } = measured;
    figures.push(...ofTraffic);
    Object.assign(cpu, ofLast);
    repeated = rest;
  }
}
progress("done");
const result = {
  machine: {
    ...machine,
    loadAfter: await loadAverage(),
    seconds: Math.round((performance.now() - began) / 1000),
  },
  figures,
  cpu,
  ...repeated,
};
const json = JSON.stringify(result, null, 2) + "\n";
const folder = new URL("results/", import.meta.url);
await mkdir(folder, { recursive: true });
await writeFile(new URL("latest.json", folder), json);
if (flags.json) console.log(json);
else {
  console.log(describe());
  console.log(table(figures));
  if (repeated !== undefined) console.log(describeRepeated(repeated));
  if (Object.keys(cpu).length > 0) console.log(describeCpu());
}

function describe(): string {
  const { cpu, cores, kernel, loadBefore, loadAfter, versions, seconds } =
    result.machine;
  const known = Object.entries(versions).map(([name, version]) =>
    `${name} ${version}`
  );
  return [
    `${machine.commandLine}   (${machine.time}, ${seconds} s)`,
    `${cpu}, ${cores} cores, ${kernel}; ${known.join(", ")}`,
    `load average ${loadBefore.join(" ")} before, ${
      loadAfter.join(" ")
    } after; medians (min–max)\n`,
  ].join("\n");
}

function describeRepeated(
  { kubectlBrokeOff, kubectlRetries, exchangeRetries }: NonNullable<
    typeof repeated
  >,
): string {
  return `\nkubectl port-forward ended by itself ${kubectlBrokeOff} times; ` +
    `repeated: ${kubectlRetries} with kubectl, ${exchangeRetries} with exchange`;
}

function describeCpu(): string {
  const lines = Object.entries(cpu).map(([name, seconds]) => {
    const parts = Object.entries(seconds).map(([program, value]) =>
      `${program} ${value.toFixed(2)}`
    );
    return `  ${name}: ${parts.join(", ")}`;
  });
  return [
    "\nprocessor seconds of the last round (those of others' work included):",
    ...lines,
  ].join("\n");
}
