import type { ClusterCheck } from "../../cluster/doctor/cluster_subject.ts";
import { findDead } from "../../cluster/clean/find_dead.ts";
import { planChanges } from "../../cluster/clean/plan_changes.ts";
import { counted } from "../../core/counted.ts";
import type { Finding } from "../../core/doctor/doctor_check.ts";
import { DEFAULT_THRESHOLD_MINUTES } from "../../cluster/object/default_threshold.ts";
import type { Host } from "../session/host.ts";
import { knownSteps } from "../session/known_steps.ts";

/** So many of them are named. */
const MAX_NAMED = 5;

/** What `clean` would do in the namespace. */
export function namespaceLeftoversCheck(host: Host): ClusterCheck {
  return {
    name: "namespace-leftovers",
    title: "Leftovers in the namespace",
    async look({ kube }, signal) {
      const told: Finding[] = [];
      const report = {
        warn: (code: string, message: string) =>
          void told.push({ state: "unknown", message, facts: { code } }),
        debug() {},
      };
      const { dead, unreadable } = await findDead(kube, {
        thresholdMinutes: DEFAULT_THRESHOLD_MINUTES,
        signal,
        report,
      });
      const steps = await knownSteps(host, report, dead);
      const { changes, failure } = await planChanges(dead, steps, report);
      const findings = [...told];
      if (changes.length > 0) {
        const actions = changes.map(({ action }) => action);
        const more = actions.length - MAX_NAMED;
        findings.push({
          state: "warning",
          message: `dead sessions left ${counted(changes.length, "change")}: ${
            actions.slice(0, MAX_NAMED).join("; ")
          }${more > 0 ? `; and ${more} more` : ""}`,
          advice: `Run \`ktctl clean -n ${kube.namespace}\`.`,
          facts: { actions },
        });
      }
      if (unreadable.length > 0) {
        findings.push({
          state: "warning",
          message: `${
            counted(unreadable.length, "object")
          } of ktctl cannot be read: ${
            unreadable.slice(0, MAX_NAMED).map(({ object }) =>
              `${object.kind} "${object.metadata.name}"`
            ).join(", ")
          }`,
          advice:
            `\`ktctl clean -n ${kube.namespace} --dryRun\` tells what is wrong with them.`,
        });
      }
      if (failure !== undefined) {
        const { message } = failure;
        findings.push({ state: "warning", message, cause: failure });
      }
      return findings.length > 0
        ? findings
        : { state: "good", message: "none of dead sessions" };
    },
  };
}
