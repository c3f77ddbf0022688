/** `ktctl preview`: a local port gets a Service name in the cluster. */
import { Command, Option } from "commander";
import { awaitArrival } from "../cluster/service/await_endpoints.ts";
import { type ExposedPort, parseExpose } from "../cluster/service/expose.ts";
import { refuseClosedPorts } from "../cluster/service/local_ports.ts";
import { objectArgs, objectStep } from "../cluster/object/object_step.ts";
import { refuseBadServiceName } from "../cluster/object/object_name.ts";
import {
  agentConfig,
  containerPorts,
  localPorts,
  type PodPort,
} from "../cluster/shadow/pod_ports.ts";
import type { ShadowSpec } from "../cluster/shadow/shadow_objects.ts";
import { TrafficSession } from "../cluster/shadow/traffic_session.ts";
import { ConflictError } from "../core/errors.ts";
import { randomLetters } from "../core/random_name.ts";
import {
  CONTROL_BY,
  CONTROL_BY_KT,
  HEARTBEAT,
  label,
  ROLE,
  SESSION,
  TARGET,
} from "../kube/annotations.ts";
import type { KubeApi, KubeObject } from "../kube/kube_api.ts";
import { SERVICES } from "../kube/resources.ts";
import {
  type GlobalOptions,
  podOptions,
  timeouts,
} from "./session/global_options.ts";
import type { Host } from "./session/host.ts";
import { withExpose } from "./session/with_expose.ts";
import { reconcilePreview } from "./session/reconcile_preview.ts";
import {
  openKube,
  runSession,
  type Session,
  sweepOwn,
} from "./session/session.ts";

interface PreviewOptions {
  readonly expose: ExposedPort[];
  readonly external: boolean;
  readonly skipPortChecking: boolean;
}

export function previewCommand(host: Host): Command {
  return new Command("preview")
    .description(
      "Creates a Service that sends its traffic to a port on this laptop, until you press Ctrl-C.",
    )
    .argument("<name>", "name of the Service to create")
    .addOption(
      new Option(
        "--expose <ports>",
        "port or local:port of the new Service, separated by commas",
      )
        .argParser(parseExpose),
    )
    .addOption(
      new Option(
        "--external",
        "request a load balancer with an address outside the cluster",
      ).default(false),
    )
    .addOption(
      new Option(
        "--skipPortChecking",
        "do not check that something listens on the local port",
      ).default(false),
    )
    .action((name: string, _options: unknown, command: Command) =>
      preview(host, name, withExpose(command))
    );
}

export async function preview(
  host: Host,
  name: string,
  options: PreviewOptions & GlobalOptions,
): Promise<void> {
  const report = host.report(options);
  refuseBadServiceName(name);
  const kube = await openKube(host, options, report);
  await sweepOwn(host, kube, report);
  await report.step("check", async () => {
    await refuseTaken(kube, name, host.signal);
    if (!options.skipPortChecking) {
      await refuseClosedPorts(options.expose, host.signal);
    }
  });
  await runSession(
    host,
    { globals: options, kube, report, command: `preview ${name}` },
    (session, markReady) => serve(host, session, { name, options, markReady }),
  );
}

async function refuseTaken(
  kube: KubeApi,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const existing = await kube.find({ resource: SERVICES, name }, { signal });
  if (existing === undefined) return;
  const isOurs = label(existing, CONTROL_BY) === CONTROL_BY_KT;
  throw new ConflictError(
    "SERVICE_EXISTS",
    `Cannot preview as "${name}": a Service of that name already exists`,
    {
      hint: isOurs
        ? "It was made by ktctl. If its session is gone, run `ktctl clean` to remove it."
        : "Choose another name, or use `ktctl exchange` to take that Service's traffic.",
    },
  );
}

async function serve(
  host: Host,
  session: Session,
  { name, options, markReady }: {
    name: string;
    options: PreviewOptions & GlobalOptions;
    markReady: () => void;
  },
): Promise<void> {
  const { scope, report, kube, heartbeat, id } = session;
  const ports = podPorts(options.expose);
  const shadowLabels = {
    [ROLE]: "shadow-preview",
    [TARGET]: randomLetters(20),
  };
  const spec: ShadowSpec = {
    name: `${name}-kt`,
    namespace: kube.namespace,
    session: id,
    user: host.user,
    labels: shadowLabels,
    config: `service=${name}`,
    ports: containerPorts(ports),
    agent: agentConfig(ports, { ready: "attached" }),
    pod: podOptions(options),
    unprivilegedPortStart: false,
  };
  // made once: a Shadow Pod made anew has the same labels, and the Service keeps its address
  let isMade = false;
  const service = previewService(name, {
    ports,
    selector: shadowLabels,
    external: options.external,
    session: id,
    kube,
  });
  const traffic = new TrafficSession({
    scope,
    report,
    heartbeat,
    spec,
    ports: localPorts(ports),
    allowRefusedLocal: options.skipPortChecking,
    ...timeouts(options),
    route: async (routeScope, { podName }) => {
      if (!isMade) {
        await scope.run(
          objectStep,
          objectArgs(SERVICES, service, { session: id }),
          service,
        );
        heartbeat.add({ resource: SERVICES, name, namespace: kube.namespace });
        isMade = true;
        scope.background(
          "the preview's Service",
          (signal) => reconcilePreview({ kube, report, service }, signal),
        );
      }
      const endpoints = { service: name, namespace: kube.namespace, podName };
      await awaitArrival(kube, endpoints, routeScope.signal);
    },
  });
  await traffic.run(() => {
    markReady();
    const text = options.expose.map(({ local, remote }) =>
      `http://${name}:${remote} → localhost:${local}`
    ).join(", ");
    report.event({
      event: "ready",
      message: `Service "${name}" is ready: ${text}. Press Ctrl-C to remove it`,
      verb: "preview",
      service: name,
      namespace: kube.namespace,
      ports: options.expose.map(({ local, remote }) => ({
        port: remote,
        local,
      })),
    });
  });
}

/** The Service maps its ports, so that ours need no privilege. */
function podPorts(exposed: readonly ExposedPort[]): PodPort[] {
  const taken = new Set(exposed.map(({ remote }) => remote));
  let next = 10_000;
  return exposed.map(({ local, remote }) => {
    while (taken.has(next)) next++;
    return {
      name: `kt-${remote}`,
      port: remote < 1024 ? next++ : remote,
      local,
      servicePort: remote,
    };
  });
}

function previewService(
  name: string,
  { ports, selector, external, session, kube }: {
    ports: readonly PodPort[];
    selector: Record<string, string>;
    external: boolean;
    session: string;
    kube: KubeApi;
  },
): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name,
      namespace: kube.namespace,
      labels: { [CONTROL_BY]: CONTROL_BY_KT },
      annotations: { [SESSION]: session, [HEARTBEAT]: String(kube.now()) },
    },
    spec: {
      type: external ? "LoadBalancer" : "ClusterIP",
      selector,
      ports: ports.map(({ name, port, servicePort }) => ({
        name,
        port: servicePort,
        targetPort: port,
        protocol: "TCP",
      })),
    },
  };
}
