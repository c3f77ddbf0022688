/**
 * Mesh by a service mesh: the Shadow Pod carries the original pods' labels and the mark as one more;
 * rules of the mesh, the user's own or ours, send marked requests to it.
 */
import * as v from "valibot";
import { stringify } from "yaml";
import { servicePorts } from "../../cluster/service/expose.ts";
import { findHolder, refuseHeldService } from "../../cluster/holder.ts";
import {
  destinationRule,
  gatewayRules,
  ISTIO,
  istioResource,
  type RulesFor,
  rulesName,
  virtualService,
} from "../../cluster/router/istio_rules.ts";
import { istioRulesStep } from "../../cluster/router/istio_rules_step.ts";
import { markText, meshName } from "../../cluster/router/mesh_mark.ts";
import { refuseRolloutsService } from "../../cluster/keeper/refuse_rollouts_service.ts";
import { servicesSelecting } from "../../cluster/service/services_selecting.ts";
import { refuseEarlyTraffic } from "../../cluster/service/service_likeness.ts";
import { refuseUnsuitable } from "../../cluster/service/target.ts";
import { workloadLabels } from "../../cluster/pod/workload_labels.ts";
import {
  ConflictError,
  KtctlError,
  UnsupportedError,
  UsageError,
} from "../../core/errors.ts";
import {
  annotation,
  annotationText,
  originalSelector,
  SESSION,
} from "../../kube/annotations.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import { unlessRefused } from "../../kube/unless_refused.ts";
import { PODS } from "../../kube/resources.ts";
import { BUILTIN_LISTINGS } from "../builtin_listings.ts";
import {
  definePlugin,
  type RouteContext,
  type RouteResult,
  type RoutingContext,
  type RoutingMark,
  type RoutingPlan,
  type RoutingPlugin,
} from "../plugin.ts";

interface Options {
  readonly emitRules?: "istio" | "gateway" | undefined;
  readonly applyRules: boolean;
}

type Context = RoutingContext<Options>;

const plugin: RoutingPlugin<Options> = {
  ...BUILTIN_LISTINGS.istio,
  apiVersion: 1,
  options: v.object({
    emitRules: v.optional(v.pipe(
      v.string(),
      v.transform((form) => form === "true" ? "istio" : form),
      v.picklist(
        ["istio", "gateway"],
        "Write --emitRules, --emitRules istio or --emitRules gateway",
      ),
    )),
    applyRules: v.pipe(
      v.optional(v.string(), "false"),
      v.transform((text) => text === "true"),
    ),
  }),
  steps: [istioRulesStep],
  probe: () => Promise.resolve({ ok: true }),
  plan,
  route,
};

async function plan(context: Context): Promise<RoutingPlan> {
  const { kube, target: { service }, signal, session, options, log } = context;
  const { name } = service.metadata;
  const mark = markOf(context);
  refuseUnsuitable(service);
  refuseRolloutsService(service);
  refuseEarlyTraffic(service, "Use --mode auto.");
  if (originalSelector(service)[mark.key] !== undefined) {
    throw new UsageError(
      "MARK_IN_SELECTOR",
      `Cannot mark by "${mark.key}": the selector of Service "${name}" asks for that label, and would not find the Shadow Pod`,
      { hint: "Take another name, such as `--versionMark kt-mark:`." },
    );
  }
  const holder = await findHolder(kube, service, context);
  if (holder !== undefined && holder.role !== "shadow-mesh") {
    await refuseHeldService(kube, service, context);
  }
  await refuseTakenMark(context, session);
  const version = await istioVersion(kube, signal);
  const isThere = version !== undefined;
  if (options.applyRules && isThere) {
    await refuseOthersRules(context, version);
  }
  if (options.applyRules && !isThere) {
    throw new UnsupportedError(
      "NO_ISTIO",
      `Cannot apply rules: the cluster does not serve ${ISTIO}`,
      { hint: "Use --mode auto, which needs no service mesh." },
    );
  }
  const labels = await workloadLabels(kube, target(context), signal);
  if (!isThere) {
    log.warn(
      "NO_SERVICE_MESH",
      "No Istio in this cluster: the Shadow Pod is one more pod of the Service, and plain traffic reaches the laptop too",
    );
  } else if (labels[mark.key] === undefined) {
    log.warn(
      "ORIGINAL_UNMARKED",
      `The original pods have no label "${mark.key}": no rule can tell them from the Shadow Pod, and plain traffic reaches the laptop too`,
    );
  }
  const shadow = { ...labels, [mark.key]: mark.value };
  await warnOfOtherServices(context, shadow);
  return {
    namePrefix: name,
    name: meshName(name, mark),
    config: `service=${name}`,
    labels: shadow,
    fallback: false,
    ready: "attached",
  };
}

/** The Shadow Pod is behind all that select its labels, but has ports of the target alone. */
async function warnOfOtherServices(
  context: Context,
  labels: Readonly<Record<string, string>>,
): Promise<void> {
  const { kube, target, pod, signal, log } = context;
  const namespace = namespaceOf(context);
  const all = { ...pod.labels, ...labels };
  const services = await unlessRefused(() =>
    servicesSelecting(kube, all, { namespace, signal })
  );
  if (services === undefined) {
    log.debug("which other Services have these pods may not be looked at");
    return;
  }
  const names = services.map(({ metadata }) => metadata.name)
    .filter((name) => name !== target.service.metadata.name);
  if (names.length === 0) return;
  log.warn(
    "SERVICES_SHARE_PODS",
    `The Shadow Pod is behind ${
      names.map((name) => `Service "${name}"`).join(", ")
    } as well: where no rule of a service mesh leads past it, some of their connections come to this laptop on the exposed ports, and are refused on the others. --mode auto leaves them alone`,
  );
}

/**
 * Istio takes one VirtualService a host, and does not say which: a second one beside the user's own
 * would break it. Throws `ConflictError` (`RULES_OF_OTHERS`).
 */
async function refuseOthersRules(
  context: Context,
  version: string,
): Promise<void> {
  const { kube, signal } = context;
  const { name } = context.target.service.metadata;
  const namespace = namespaceOf(context);
  const hosts = new Set([
    name,
    `${name}.${namespace}`,
    `${name}.${namespace}.svc`,
    `${name}.${namespace}.svc.cluster.local`,
  ]);
  const all = await kube.list(istioResource("VirtualService", version), {
    namespace,
    signal,
  });
  const other = all.find(({ metadata, spec }) =>
    metadata.name !== rulesName(name) &&
    spec?.hosts?.some((host: string) => hosts.has(host))
  );
  if (other === undefined) return;
  throw new ConflictError(
    "RULES_OF_OTHERS",
    `Cannot apply rules: VirtualService "${other.metadata.name}" rules Service "${name}" already`,
    {
      hint:
        "Print ours with --emitRules, and put their route in front of the others there.",
    },
  );
}

/** Throws `ConflictError` (`MARK_TAKEN`). */
async function refuseTakenMark(
  context: Context,
  session: string,
): Promise<void> {
  const { kube, signal } = context;
  const { name } = context.target.service.metadata;
  const mark = markOf(context);
  const ref = { resource: PODS, name: meshName(name, mark) };
  const namespace = namespaceOf(context);
  const pod = await kube.find({ ...ref, namespace }, { signal });
  if (pod === undefined || annotation(pod, SESSION) === session) return;
  const user = annotationText(pod, "kt-user") ?? "somebody";
  throw new ConflictError(
    "MARK_TAKEN",
    `Cannot mesh Service "${name}" with "${
      markText(mark)
    }": ${user} has that mark since ${pod.metadata.creationTimestamp}`,
    {
      hint:
        `Take another --versionMark; if ${user} is gone for good, run \`ktctl clean\`.`,
    },
  );
}

async function route(context: RouteContext<Options>): Promise<RouteResult> {
  const { kube, scope, options, target: { service }, signal } = context;
  const mark = markOf(context);
  const labels = await workloadLabels(kube, target(context), signal);
  const original = labels[mark.key];
  const rules: RulesFor = {
    namespace: namespaceOf(context),
    service: service.metadata.name,
    mark,
    ...(original === undefined ? {} : { original }),
  };
  const version = await istioVersion(kube, signal);
  if (options.applyRules && version !== undefined) {
    await scope.run(istioRulesStep, { ...rules, version }, undefined);
  }
  const text = markText(mark);
  const how = options.applyRules
    ? `Requests with the header "${text}" come to this laptop`
    : `The Shadow Pod has the label ${mark.key}=${mark.value}, for rules of your own`;
  if (options.emitRules === undefined) return { message: how };
  const objects = options.emitRules === "istio"
    ? [
      destinationRule(rules, version ?? "v1beta1"),
      virtualService(rules, version ?? "v1beta1"),
    ]
    : gatewayRules(rules, {
      selector: originalSelector(service),
      ports: servicePorts(service),
    });
  return {
    message: how,
    output: objects.map((object) => stringify(object)).join("---\n"),
  };
}

/** The newest version of Istio's API that the cluster prefers; undefined without Istio. */
async function istioVersion(
  kube: KubeApi,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const group = await kube.raw<{ preferredVersion: { version: string } }>(
      `/apis/${ISTIO}`,
      { signal },
    );
    return group.preferredVersion.version;
  } catch (error) {
    if (error instanceof KtctlError && error.code === "API_NOT_SERVED") {
      return undefined;
    }
    throw error;
  }
}

function target({ target: { service, deployment } }: Context) {
  return deployment === undefined ? { service } : { service, deployment };
}

function namespaceOf({ kube, target }: Context): string {
  return target.service.metadata.namespace ?? kube.namespace;
}

/** The host gives one to every `mesh`. */
function markOf({ mark }: Context): RoutingMark {
  if (mark !== undefined) return mark;
  throw new UsageError("MARK_MISSING", "Cannot mesh without a mark");
}

export default definePlugin(plugin);
