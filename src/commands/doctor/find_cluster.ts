import type { Finding } from "../../core/doctor/doctor_check.ts";
import {
  ClusterError,
  KtctlError,
  PermissionError,
} from "../../core/errors.ts";
import type { Report } from "../../core/report.ts";
import { reviewRights } from "../../cluster/rights/review_rights.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import type { GlobalOptions } from "../session/global_options.ts";
import type { Host } from "../session/host.ts";
import { openCluster } from "../session/session.ts";

/** A server that has not even taken a connection by then counts as dead. */
const ANSWER_MS = 3_000;
/** One that has gets so much longer to answer. */
const BUSY_MS = 10_000;
/** A credential plugin may have its user sign in. */
const SIGN_IN_MS = 60_000;

export type FoundCluster =
  | {
    readonly kube: KubeApi;
    readonly version: Awaited<ReturnType<KubeApi["version"]>>;
  }
  | { readonly fault: Finding };

/** The cluster that the options name, if it answers and takes our credentials. */
export async function findCluster(
  host: Host,
  options: GlobalOptions,
  report: Report,
  { signInMs = SIGN_IN_MS }: { signInMs?: number } = {},
): Promise<FoundCluster> {
  const patience = new AbortController();
  const signal = AbortSignal.any([host.signal, patience.signal]);
  let opened: KubeApi | undefined;
  const timer = setTimeout(
    () => patience.abort(signInTimedOut(opened, signInMs)),
    signInMs,
  );
  try {
    const kube = await openCluster({ ...host, signal }, options, report);
    opened = kube;
    const version = await kube.version({ signal, timeoutMs: ANSWER_MS })
      .catch((error) => {
        if (kube.peers().length === 0 || !isLate(error)) throw error;
        return kube.version({ signal, timeoutMs: BUSY_MS });
      });
    // anybody may ask for the version, whatever they say who they are
    await reviewRights(kube, [], { signal }).catch((error) => {
      const isUnknown = error instanceof PermissionError &&
        error.code === "UNAUTHORISED";
      if (isUnknown || !(error instanceof KtctlError)) throw error;
    });
    return { kube, version };
  } catch (thrown) {
    if (host.signal.aborted) throw host.signal.reason;
    const error = patience.signal.aborted ? patience.signal.reason : thrown;
    if (!(error instanceof KtctlError)) throw error;
    const { code, message } = error;
    return { fault: { state: "bad", message, cause: error, facts: { code } } };
  } finally {
    clearTimeout(timer);
  }
}

/** @param kube As far as it is known then. */
function signInTimedOut(kube: KubeApi | undefined, afterMs: number) {
  const server = kube === undefined ? "" : ` "${kube.server}"`;
  const isSignedIn = kube !== undefined && kube.peers().length > 0;
  const seconds = afterMs / 1000;
  return isSignedIn
    ? new ClusterError(
      "CLUSTER_UNREACHABLE",
      `Cannot look at the API server${server}: it has taken a connection, and not answered all questions within ${seconds} s`,
      { hint: "Try again; it may be busy, or a proxy before it." },
    )
    : new ClusterError(
      "SIGN_IN_TIMEOUT",
      `Cannot sign in to the API server${server}: the credential plugin or the sign-in that the kubeconfig names did not end within ${seconds} s`,
      {
        hint:
          "Sign in first, as with `kubectl get namespace`, then run this again.",
      },
    );
}

function isLate(error: unknown): boolean {
  return error instanceof KtctlError && error.code === "CLUSTER_UNREACHABLE";
}
