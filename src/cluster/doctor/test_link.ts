import type { Finding } from "../../core/doctor/doctor_check.ts";
import { KtctlError, PermissionError } from "../../core/errors.ts";
import { randomLower } from "../../core/random_name.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import type { World } from "../../kube/world.ts";
import type { LinkProtocol } from "../../link/wire/link_protocol.ts";
import type { Scope } from "../../undo/scope.ts";
import type { Heartbeat } from "../object/heartbeat.ts";
import type { PodOptions } from "../pod/pod_options.ts";
import { connectShadow } from "../shadow/connect_shadow.ts";
import { agentConfig } from "../shadow/pod_ports.ts";
import { createShadow, type Shadow } from "../shadow/shadow.ts";
import type { PodWays } from "../shadow/shadow_carrier.ts";
import { awaitShadowLink } from "../shadow/shadow_link.ts";
import { measureLink } from "./measure_link.ts";

export interface LinkTestOptions {
  readonly session: string;
  readonly user: string;
  readonly pod: PodOptions;
  readonly heartbeat: Heartbeat;
  readonly podTimeoutMs: number;
  readonly linkTimeoutMs: number;
  readonly linkProtocol?: LinkProtocol;
}

const PORT = 10_007;
const LASTS_MS = 2_000;

/** Starts a Shadow Pod, which the scope takes back, and measures each way to it. */
export async function testLink(
  scope: Scope<World>,
  options: LinkTestOptions,
): Promise<Finding[]> {
  const { world: { kube }, signal } = scope;
  const { session, user, pod, heartbeat, podTimeoutMs } = options;
  const { namespace } = kube;
  const plain = connectShadow({ namespace, session, user, pod });
  const port = { name: "kt-test", port: PORT, servicePort: PORT, local: PORT };
  const spec = {
    ...plain,
    name: `${plain.name}-${randomLower(5)}`,
    ports: [{ name: port.name, port: PORT }],
    agent: agentConfig([port], { ready: "always" }),
  };
  let shadow: Shadow;
  try {
    shadow = await createShadow(scope, spec, { heartbeat, podTimeoutMs });
  } catch (error) {
    if (signal.aborted || !(error instanceof KtctlError)) throw error;
    const message = `no Shadow Pod runs: ${error.message}`;
    return [{ state: "bad", message, cause: error }];
  }
  const findings: Finding[] = [];
  for (const way of ["pods/proxy", "port-forward"] as const) {
    findings.push(await testWay(kube, shadow, { ...options, way, signal }));
  }
  const works = findings.some(({ state }) => state === "good");
  return works
    ? findings
    : findings.map((one) => ({ ...one, state: "bad" as const }));
}

async function testWay(
  kube: KubeApi,
  shadow: Shadow,
  { way, signal, linkTimeoutMs, linkProtocol }: LinkTestOptions & {
    way: "pods/proxy" | "port-forward";
    signal: AbortSignal;
  },
): Promise<Finding> {
  try {
    await using link = await awaitShadowLink(only(kube, way), shadow, {
      ports: [],
      onLocalRefused() {},
      signal,
      timeoutMs: linkTimeoutMs,
      giveUpMs: linkTimeoutMs,
      ...(linkProtocol === undefined ? {} : { protocol: linkProtocol }),
    });
    const measured = { podPort: PORT, lastsMs: LASTS_MS, signal };
    const figures = await measureLink(link, measured);
    return {
      state: "good",
      message:
        `by ${way}: ${figures.roundTripMs} ms there and back, ${figures.megabytesPerSecond} MB/s each way at once`,
      facts: { way, ...figures },
    };
  } catch (error) {
    if (signal.aborted || !(error instanceof KtctlError)) throw error;
    return {
      state: "warning",
      message: `not by ${way}: ${error.message}`,
      cause: error,
      facts: { way, code: error.code },
    };
  }
}

/** The other way counts as forbidden. */
function only(kube: KubeApi, way: "pods/proxy" | "port-forward"): PodWays {
  const refuse = () =>
    Promise.reject(new PermissionError("WAY_NOT_TESTED", "Not this way"));
  return {
    proxyToPod: way === "pods/proxy"
      ? (...call) => kube.proxyToPod(...call)
      : refuse,
    portForward: way === "port-forward"
      ? (...call) => kube.portForward(...call)
      : refuse,
  };
}
