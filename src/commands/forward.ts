/** `ktctl forward`: a local port leads to a pod, or to whatever the cluster reaches. */
import { hostPort } from "../core/host_port.ts";
import type { Duplex } from "node:stream";
import { connectShadow } from "../cluster/shadow/connect_shadow.ts";
import type { ForwardPod } from "../cluster/forward/forward_pods.ts";
import {
  forwardedObject,
  type ForwardRoute,
  planForward,
} from "../cluster/forward/forward_route.ts";
import {
  type AddressTarget,
  type ForwardTarget,
  parseForwardTarget,
} from "../cluster/forward/forward_target.ts";
import { PodChoice } from "../cluster/forward/pod_choice.ts";
import type { Use } from "../cluster/rights/right_rule.ts";
import { refuseUnreachable } from "../cluster/shadow/refuse_unreachable.ts";
import { ShadowSession } from "../cluster/shadow/shadow_session.ts";
import { aborted } from "../core/aborted.ts";
import { KtctlError, LinkError, messageOf } from "../core/errors.ts";
import type { Report } from "../core/report.ts";
import type { KubeApi } from "../kube/kube_api.ts";
import { LocalForward } from "../net/local_forward.ts";
import { LinkPool } from "../link/client/link_pool.ts";
import {
  type GlobalOptions,
  linkSettings,
  podOptions,
} from "./session/global_options.ts";
import type { DryRunOptions } from "./dry_run/dry_run_option.ts";
import { endText } from "./session/end_text.ts";
import { reportOf } from "./dry_run/report_of.ts";
import { sessionFrame } from "./dry_run/session_frame.ts";
import type { Host } from "./session/host.ts";
import { namingMissingRights } from "./session/naming_missing_rights.ts";
import { openKube, type Session, sweepOwn } from "./session/session.ts";

/** A port-forward cannot tell a pod that the client has no more to send. */
const CUT_AFTER_MS = 30_000;
/** A dry run sees at once which pods are ready. */
const PLAN_MS = 2_000;
const PORT_HINT =
  "Choose another one with local:port, or any free port with :port.";

/** @param words The arguments: what to forward to, and ports. */
export async function forward(
  host: Host,
  words: readonly [target: string, ports: string | undefined],
  options: GlobalOptions & DryRunOptions,
): Promise<void> {
  const target = parseForwardTarget(...words);
  const report = reportOf(host, options);
  const isAddress = target.kind === "address";
  const kube = await openKube(host, {
    ...options,
    ...(isAddress ? {} : { wanted: forwardedObject(target) }),
  }, report);
  const needed = {
    verbs: ["forward"],
    uses: forwardUses(target, options),
    signal: host.signal,
  } as const;
  await namingMissingRights(kube, needed, async () => {
    const name = isAddress
      ? addressText(target)
      : `${target.kind}/${target.name}`;
    const frame = {
      globals: options,
      kube,
      report,
      command: `forward ${name}`,
    };
    const run = await sessionFrame(kube);
    if (isAddress) {
      await sweepOwn(host, kube, report);
      return await run(
        host,
        frame,
        (session, markReady) =>
          serveAddress(host, session, { target, options, markReady }),
      );
    }
    const route = await report.step(
      "check",
      () => planForward(kube, target, host.signal),
    );
    const local = target.local ?? route.port;
    await run(
      host,
      frame,
      (session, markReady) =>
        servePods(host, session, {
          ...{ command: frame.command, route, local, options },
          markReady,
        }),
    );
  });
}

function forwardUses(
  { kind }: ForwardTarget,
  { useShadowDeployment }: GlobalOptions,
): Use[] {
  if (kind === "deployment") return ["deploy"];
  if (kind === "pod") return ["pod"];
  if (kind === "service") return [];
  return [
    "host:port",
    ...(useShadowDeployment ? ["useShadowDeployment" as const] : []),
  ];
}

async function servePods(
  host: Host,
  session: Session,
  { command, route, local, options, markReady }: {
    command: string;
    route: ForwardRoute;
    local: number;
    options: GlobalOptions;
    markReady: () => void;
  },
): Promise<void> {
  const { scope, report, kube, status } = session;
  const { linkTimeoutMs: timeoutMs } = linkSettings(options);
  const choice = new PodChoice({ title: route.title, report });
  const open = async (signal: AbortSignal): Promise<Duplex> => {
    let failed: ForwardPod | undefined;
    for (;;) {
      const pod = await choice.get({
        ...(failed && { failed }),
        timeoutMs,
        signal,
      });
      try {
        const stream = await kube.portForward(pod, { signal, timeoutMs });
        status.countConnection();
        return stream;
      } catch (error) {
        const isPods = error instanceof KtctlError &&
          (error instanceof LinkError || error.code === "POD_NOT_FOUND");
        if (failed !== undefined || !isPods) throw error;
        failed = pod; // gone, and the watch has not told yet
      }
    }
  };
  const listener = scope.use(
    await LocalForward.start({
      port: local,
      hint: PORT_HINT,
      open,
      onFailed: failureTeller(report),
      cutAfterMs: CUT_AFTER_MS,
    }),
  );
  scope.background("follow the pods", async (signal) => {
    for await (const pods of route.follow(signal)) choice.update(pods);
  });
  session.plan?.machine.push(listening(listener.port));
  await report.step("connect to a ready pod", async () => {
    if (kube.isPlan) return await refuseForbidden(kube, choice, scope.signal);
    const trial = await Promise.race([open(scope.signal), scope.failed]);
    trial.destroy();
  });
  markReady();
  report.event({
    event: "ready",
    message:
      `Forwarding localhost:${listener.port} → port ${route.port} of ${route.title}. ${
        endText(host, "stop", command)
      }`,
    verb: "forward",
    target: route.title,
    local: listener.port,
    port: route.port,
  });
  if (kube.isPlan) return;
  await Promise.race([scope.failed, aborted(scope.signal)]);
}

/** For a dry run, which opens no connection: whether this user might open one to a ready pod. */
async function refuseForbidden(
  kube: KubeApi,
  choice: PodChoice,
  signal: AbortSignal,
): Promise<void> {
  const pod = await choice.get({ timeoutMs: PLAN_MS, signal });
  try {
    (await kube.portForward(pod, { signal })).destroy();
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
  }
}

function listening(port: number): string {
  return `listen on port ${port} of this machine's loopback`;
}

async function serveAddress(
  host: Host,
  session: Session,
  { target, options, markReady }: {
    target: AddressTarget;
    options: GlobalOptions;
    markReady: () => void;
  },
): Promise<void> {
  const { scope, report, kube, id } = session;
  const { linkTimeoutMs: patienceMs } = linkSettings(options);
  const { status } = session;
  const pool = new LinkPool({
    patienceMs,
    onDial: () => status.countConnection(),
  });
  const dial = (signal: AbortSignal) =>
    pool.dial(target.host, target.port, { signal });
  const tell = failureTeller(report);
  const listener = scope.use(
    await LocalForward.start({
      port: target.local,
      hint: PORT_HINT,
      open: dial,
      onFailed: tell,
    }),
  );
  const shadow = new ShadowSession({
    ...session,
    ...linkSettings(options),
    spec: connectShadow({
      namespace: kube.namespace,
      session: id,
      user: host.user,
      pod: podOptions(options),
    }),
    async onLink(link) {
      await pool.use(link);
      status.linked();
    },
  });
  session.plan?.machine.push(listening(listener.port));
  if (kube.isPlan) {
    const made = await shadow.make(scope.child("shadow"));
    await refuseUnreachable(kube, made);
    session.plan?.unknown.push(`whether ${addressText(target)} answers`);
    return;
  }
  await shadow.run(async () => {
    // what does not answer now may do so later: that is for the user to judge
    await dial(scope.signal).then((stream) => stream.destroy(), tell);
    scope.signal.throwIfAborted();
    markReady();
    const text = addressText(target);
    report.event({
      event: "ready",
      message:
        `Forwarding localhost:${listener.port} → ${text} from inside the cluster. ${
          endText(host, "stop", `forward ${text}`)
        }`,
      verb: "forward",
      target: text,
      local: listener.port,
      port: target.port,
    });
  });
}

/** Warns of the same failure once, not at each connection. */
function failureTeller(report: Report): (error: unknown) => void {
  const told = new Set<string>();
  return (error) => {
    const message = messageOf(error);
    if (told.has(message)) return;
    told.add(message);
    report.warn(
      error instanceof KtctlError ? error.code : "FORWARD_FAILED",
      message,
    );
  };
}

function addressText({ host, port }: AddressTarget): string {
  return hostPort(host, port);
}
