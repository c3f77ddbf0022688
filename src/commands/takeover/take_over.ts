import { hostname } from "node:os";
import { requestTakeover } from "../../cluster/takeover/request_takeover.ts";
import { ConflictError } from "../../core/errors.ts";
import type { Report } from "../../core/report.ts";
import { annotationText, ROLE, USER } from "../../kube/annotations.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import type { RoutingVerb } from "../../plugins/routing_verb.ts";
import type { Host } from "../session/host.ts";
import { recoverService } from "./recover_service.ts";

/**
 * `--takeOver`: takes the Service from whoever has it. Who lives is asked first, and may refuse; who is
 * dead is not.
 *
 * @throws {ConflictError} `TAKEOVER_REFUSED`, or `SERVICE_IN_USE` where nobody can be asked.
 */
export async function takeOver(
  host: Host,
  kube: KubeApi,
  { name, verb, report }: {
    /** Of the Service. */
    name: string;
    verb: RoutingVerb;
    report: Report;
  },
): Promise<void> {
  const { failure } = await recoverService(host, kube, {
    resourceName: { kind: "service", name },
    report,
    // a router has room for one more
    isShared: ({ spec }) =>
      verb === "mesh" && spec?.selector?.[ROLE] === "router",
    onLive: (live, service) =>
      kube.isPlan ? tellPlanned(report, live, service) : report.step(
        "ask who has the Service",
        () => {
          const pods = live.filter(({ kind }) => kind === "Pod");
          if (pods.length === 0) throw cannotAsk(live[0]!, service);
          return requestTakeover(kube, pods, {
            ...{ service, user: host.user, host: hostname() },
            ...{ report, signal: host.signal },
          });
        },
      ),
  });
  if (failure !== undefined) throw failure;
}

/** The plan is of what comes when they give it away. */
function tellPlanned(
  report: Report,
  live: readonly KubeObject[],
  service: string,
): void {
  if (!live.some(({ kind }) => kind === "Pod")) {
    throw cannotAsk(live[0]!, service);
  }
  const users = live.map((one) => annotationText(one, USER) ?? "somebody");
  report.warn(
    "TAKEOVER_PLANNED",
    `Would ask ${
      [...new Set(users)].join(" and ")
    } for Service "${service}" first, who may refuse`,
  );
}

function cannotAsk(shadow: KubeObject, service: string): ConflictError {
  const user = annotationText(shadow, USER) ?? "somebody";
  return new ConflictError(
    "SERVICE_IN_USE",
    `Cannot take Service "${service}": ${user} uses it, and has no pod to be asked by`,
    {
      hint: `Talk to ${user}, or run \`ktctl recover ${service} --takeOver\`.`,
    },
  );
}
