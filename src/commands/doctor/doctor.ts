/** `ktctl doctor`: looks at this machine and the cluster, and says what keeps ktctl from working. */
import { existsSync } from "node:fs";
import { CLUSTER_CHECKS } from "../../cluster/doctor/cluster_checks.ts";
import type { ClusterSubject } from "../../cluster/doctor/cluster_subject.ts";
import { counted } from "../../core/counted.ts";
import type {
  DoctorCheck,
  FindingState,
} from "../../core/doctor/doctor_check.ts";
import { runCheck } from "../../core/doctor/run_check.ts";
import { DiagnosisError, UsageError } from "../../core/errors.ts";
import { exec } from "../../core/exec.ts";
import { hasRootRights } from "../../helper/has_root_rights.ts";
import type { DoctorOptions } from "./doctor_options.ts";
import type { Told } from "./told.ts";
import { findCluster } from "./find_cluster.ts";
import { LAPTOP_CHECKS } from "./laptop_checks.ts";
import { namespaceLeftoversCheck } from "./namespace_leftovers_check.ts";
import { hintWithFlags } from "../session/flag_hints.ts";
import { podOptions } from "../session/global_options.ts";
import type { Host } from "../session/host.ts";

export async function doctor(
  host: Host,
  options: DoctorOptions,
): Promise<void> {
  const report = host.report(options);
  if (options.bundle !== undefined) refuseTakenFile(options.bundle);
  const told: Told[] = [];
  const tell = (one: Told) => {
    told.push(one);
    report.event(checkEvent(one));
  };
  const looking = findCluster(host, options, report);
  looking.catch(() => {}); // asked for below, unless the command ends before
  const laptop = { host, exec, isRoot: hasRootRights() };
  await runAll(LAPTOP_CHECKS, laptop, { about: "laptop", host, tell });
  const found = await looking;
  const target = "kube" in found ? found.kube : undefined;
  if ("fault" in found) {
    const title = "Cluster";
    tell({ about: "cluster", name: "reach", title, finding: found.fault });
  } else {
    await using kube = found.kube;
    const subject: ClusterSubject = {
      kube,
      version: found.version,
      pod: podOptions(options),
      user: host.user,
      exec,
    };
    const checks = [...CLUSTER_CHECKS, namespaceLeftoversCheck(host)];
    await runAll(checks, subject, { about: "cluster", host, tell });
    if (options.pull || options.linkTest) {
      const { testWithPods } = await import("./test_with_pods.ts");
      await testWithPods(host, { options, kube, report, tell });
    }
  }
  if (options.bundle !== undefined) {
    const { writeBundle } = await import("./write_bundle.ts");
    await writeBundle(options.bundle, { host, told, options, target });
    report.event({
      event: "action",
      state: "done",
      message: `wrote ${options.bundle}: read it before you pass it on`,
    });
  }
  conclude(host, told);
}

/** Before anything is looked at. What is there is not written over. */
function refuseTakenFile(path: string): void {
  if (!existsSync(path)) return;
  throw new UsageError("FILE_EXISTS", `Cannot write "${path}": it exists`, {
    hint: "Name another file with --bundle.",
  });
}

/** All at once; their lines in order, each as soon as those before it are told. */
async function runAll<Subject>(
  checks: readonly DoctorCheck<Subject>[],
  subject: Subject,
  { about, host, tell }: {
    about: Told["about"];
    host: Host;
    tell: (one: Told) => void;
  },
): Promise<void> {
  const running = checks.map((check) => runCheck(check, subject, host.signal));
  for (const one of running) one.catch(() => {}); // told by the first that fails
  for (const [at, { name, title }] of checks.entries()) {
    for (const finding of await running[at]!) {
      tell({ about, name, title, finding });
    }
  }
}

function checkEvent({ about, name, title, finding }: Told) {
  const { state, message, cause, facts } = finding;
  const advice = finding.advice ?? (cause && hintWithFlags(cause));
  return {
    event: "check",
    ...{ about, name, title, state, message },
    ...(advice !== undefined && { advice }),
    ...(facts !== undefined && { facts }),
  } as const;
}

function conclude(host: Host, told: readonly Told[]): void {
  const count = (state: FindingState) =>
    told.filter(({ finding }) => finding.state === state).length;
  const warnings = count("warning");
  const unknown = count("unknown");
  const others = [
    ...warnings > 0 ? [counted(warnings, "warning")] : [],
    ...unknown > 0 ? [`${unknown} that could not be looked at`] : [],
  ];
  const bad = count("bad");
  if (bad === 0) {
    return host.conclude({
      state: "unchanged",
      reason: others.length === 0
        ? "All is good"
        : `Nothing is bad: ${others.join(", ")}`,
    });
  }
  throw new DiagnosisError(
    "DOCTOR_FOUND_BAD",
    `${counted(bad, "thing")} ${bad === 1 ? "is" : "are"} bad${
      others.length === 0 ? "" : `, beside ${others.join(", ")}`
    }`,
    { hint: "What to do is below each line." },
  );
}
