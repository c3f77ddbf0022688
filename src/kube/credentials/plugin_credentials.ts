/**
 * Credentials from a plugin program (`exec`) or a legacy `auth-provider`, run by client-node (but
 * for `oidc`).
 *
 * Each authenticator is imported by itself: client-node's index costs 520 ms, its exec part 5 ms.
 * What client-node leaves out is supplied here: `KUBERNETES_EXEC_INFO`, `interactiveMode`, one run
 * for many callers, the plugin's own words to the user, and a new run after a 401.
 */
import type { ChildProcess, SpawnOptions } from "node:child_process";
import type { RequestOptions } from "node:https";
import { PermissionError, UsageError } from "../../core/errors.ts";
import { messageOf } from "../../core/errors.ts";
import type {
  Authorization,
  Credentials,
  CredentialsOptions,
} from "./credentials.ts";
import { clientCertificate, pem } from "./pem.ts";
import type { ExecPlugin } from "../kubeconfig/kube_target.ts";
import type { KubeTarget } from "../kubeconfig/kube_target.ts";

/** The part of client-node's authenticators that we use, and of our own. */
interface Authenticator {
  // deno-lint-ignore no-explicit-any -- client-node's User type differs between its parts
  applyAuthentication(user: any, options: RequestOptions): Promise<void>;
}

type Spawn = (
  command: string,
  args: readonly string[],
  options: SpawnOptions,
) => ChildProcess;

/** Certificates and tokens are a few thousand. */
const MAX_ANSWER_CHARS = 1024 * 1024;
const TOO_LONG = `its answer is longer than ${MAX_ANSWER_CHARS} characters`;

export function pluginCredentials(
  target: KubeTarget,
  { onPluginOutput }: CredentialsOptions,
): Credentials {
  let authenticator: Promise<Authenticator> | undefined;
  let running: Promise<Authorization> | undefined;
  return {
    authorize() {
      running ??= run().finally(() => running = undefined);
      return running;
    },
    drop() {
      authenticator = undefined;
      return true;
    },
  };

  async function run(): Promise<Authorization> {
    authenticator ??= loadAuthenticator(target, onPluginOutput);
    const user = target.user.exec === undefined
      ? target.user
      : { ...target.user, exec: await withExecInfo(target, target.user.exec) };
    const options: RequestOptions & { headers: Record<string, string> } = {
      headers: {},
    };
    try {
      await (await authenticator).applyAuthentication(user, options);
    } catch (error) {
      throw pluginFailed(target, error);
    }
    const own = await clientCertificate(target);
    return {
      headers: { ...target.user.impersonation, ...options.headers },
      ...own,
      ...(options.cert ? { cert: options.cert as string } : {}),
      ...(options.key ? { key: options.key as string } : {}),
    };
  }
}

async function loadAuthenticator(
  { user }: KubeTarget,
  onPluginOutput: ((text: string) => void) | undefined,
): Promise<Authenticator> {
  if (user.exec !== undefined) {
    const { ExecAuth } = await import(
      "@kubernetes/client-node/dist/exec_auth.js"
    );
    const auth = new ExecAuth();
    attendPlugin(auth, mayPrompt(user.exec), onPluginOutput);
    checkAnswers(auth, user.exec);
    return auth;
  }
  switch (user.authProvider?.name) {
    case "gcp": {
      const { GoogleCloudPlatformAuth } = await import(
        "@kubernetes/client-node/dist/gcp_auth.js"
      );
      return new GoogleCloudPlatformAuth();
    }
    case "azure": {
      const { AzureAuth } = await import(
        "@kubernetes/client-node/dist/azure_auth.js"
      );
      return new AzureAuth();
    }
    case "oidc": {
      const { OidcAuthenticator } = await import("./oidc_authenticator.ts");
      return new OidcAuthenticator();
    }
    default:
      throw new UsageError(
        "KUBECONFIG_INVALID",
        `Cannot sign in to the cluster: unknown auth-provider "${user.authProvider?.name}"`,
      );
  }
}

/**
 * client-node gives the plugin a standard input that never ends and keeps its standard error to
 * itself, so a plugin that asks "open this page" would hang unseen.
 */
function attendPlugin(
  auth: object,
  interactive: boolean,
  onPluginOutput: ((text: string) => void) | undefined,
): void {
  const seam = auth as { execFn: Spawn };
  const spawn = seam.execFn;
  seam.execFn = (command, args, options) => {
    const child = spawn(command, args, {
      ...options,
      stdio: [interactive ? "inherit" : "ignore", "pipe", "pipe"],
    });
    child.stderr?.on("data", (text) => onPluginOutput?.(String(text)));
    let chars = 0;
    child.stdout?.on("data", (text) => {
      chars += text.length;
      if (chars <= MAX_ANSWER_CHARS) return;
      child.emit("error", pluginRefused(command, TOO_LONG));
      child.stdout?.destroy();
      child.kill("SIGKILL");
    });
    return child;
  };
}

/** client-node uses whatever it gets: without a token it would go on as nobody. */
function checkAnswers(auth: object, exec: ExecPlugin): void {
  const seam = auth as { getCredential(user: unknown): Promise<unknown> };
  const ask = seam.getCredential.bind(auth);
  seam.getCredential = async (user) => {
    const answer = await ask(user);
    const { pluginAnswerFault } = await import("./plugin_answer.ts");
    const fault = pluginAnswerFault(answer, exec.apiVersion);
    if (fault !== undefined) throw pluginRefused(exec.command, fault);
    return answer;
  };
}

function pluginRefused(name: string, reason: string): PermissionError {
  return new PermissionError(
    "CREDENTIAL_PLUGIN_FAILED",
    `Cannot sign in with the credential plugin "${name}": ${reason}`,
  );
}

function mayPrompt(exec: ExecPlugin): boolean {
  if (exec.interactiveMode === "Never") return false;
  const terminal = Deno.stdin.isTerminal();
  if (exec.interactiveMode === "Always" && !terminal) {
    throw new PermissionError(
      "CREDENTIAL_PLUGIN_FAILED",
      `Cannot run the credential plugin "${exec.command}": it needs a terminal to ask for credentials`,
    );
  }
  return terminal;
}

async function withExecInfo(
  target: KubeTarget,
  exec: ExecPlugin,
): Promise<ExecPlugin> {
  const info = {
    apiVersion: exec.apiVersion ?? "client.authentication.k8s.io/v1",
    kind: "ExecCredential",
    spec: {
      interactive: mayPrompt(exec),
      ...(exec.provideClusterInfo
        ? { cluster: await clusterInfo(target) }
        : {}),
    },
  };
  return {
    ...exec,
    env: [...exec.env ?? [], {
      name: "KUBERNETES_EXEC_INFO",
      value: JSON.stringify(info),
    }],
  };
}

async function clusterInfo({ cluster }: KubeTarget): Promise<unknown> {
  const ca = await pem(
    cluster.caData,
    cluster.caFile,
    "certificate authority",
  );
  return {
    server: cluster.server,
    "tls-server-name": cluster.tlsServerName,
    "insecure-skip-tls-verify": cluster.skipTlsVerify || undefined,
    "certificate-authority-data": ca && new TextEncoder().encode(ca).toBase64(),
    "proxy-url": cluster.proxyUrl,
    config: cluster.execConfig,
  };
}

function pluginFailed({ user }: KubeTarget, error: unknown): Error {
  if (error instanceof PermissionError || error instanceof UsageError) {
    return error;
  }
  const name = user.exec?.command ?? user.authProvider?.name ?? "";
  const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
  const lines = messageOf(error).trim().split("\n").filter((line) => line);
  const reason = missing
    ? "it is not installed"
    : error instanceof SyntaxError
    ? "its answer is not an ExecCredential"
    : lines.at(-1)?.replace(/\.$/, "") ?? "it failed without saying why";
  const installHint = user.exec?.installHint?.trim();
  return new PermissionError(
    "CREDENTIAL_PLUGIN_FAILED",
    `Cannot sign in with the credential plugin "${name}": ${reason}`,
    {
      ...(installHint ? { hint: installHint } : {}),
      details: lines.length > 1 ? lines : [],
      cause: error,
    },
  );
}
