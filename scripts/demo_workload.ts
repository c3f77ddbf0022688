/** What the demo shows ktctl with, of the one image that ktctl itself starts its pods from. */
import { succeeded, type TestNamespace } from "../test/cluster/cluster.ts";

/** A pod may have to fetch its image first. */
const START_MS = 180_000;

/** A Deployment and a Service `web`, whose pods answer with their name; returns when they do. */
export async function startWeb(
  namespace: TestNamespace,
  image: string,
): Promise<void> {
  const program =
    "Deno.serve({ port: 8080 }, () => new Response(`demo pod=${Deno.hostname()}\\n`))";
  const labels = { app: "web" };
  const readinessProbe = {
    httpGet: { path: "/", port: 8080 },
    periodSeconds: 1,
  };
  await namespace.apply(JSON.stringify({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web" },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: podSpec(image, ["eval", program], { readinessProbe }),
      },
    },
  }));
  await namespace.apply(JSON.stringify({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web" },
    spec: {
      selector: labels,
      ports: [{ port: 80, targetPort: 8080, protocol: "TCP" }],
    },
  }));
  const wait = ["rollout", "status", "deployment/web"];
  await started(namespace, wait);
}

/** Starts a pod, in a namespace of its own; gives what asks a Service for its answer from there. */
export async function startClient(
  namespace: TestNamespace,
  image: string,
): Promise<(url: string) => Promise<string>> {
  await namespace.apply(JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "client" },
    spec: podSpec(image, ["eval", "setInterval(() => {}, 1e9)"]),
  }));
  const wait = ["wait", "--for=condition=Ready", "pod/client"];
  await started(namespace, wait);
  return async (url) => {
    const program = `console.log(await (await fetch(${
      JSON.stringify(url)
    }, { signal: AbortSignal.timeout(20000) })).text())`;
    const exec = ["exec", "client", "--", "deno", "eval", program];
    const { stdout, stderr } = await namespace.kubectl(exec);
    return (stdout || stderr).trim();
  };
}

/** Passes PodSecurity `restricted`, as what ktctl starts does. */
function podSpec(image: string, args: string[], more: object = {}) {
  return {
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 2,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 1000,
      seccompProfile: { type: "RuntimeDefault" },
    },
    containers: [{
      name: "deno",
      image,
      imagePullPolicy: "IfNotPresent",
      command: ["deno", ...args],
      env: [{ name: "DENO_DIR", value: "/tmp/deno" }],
      securityContext: {
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"] },
      },
      ...more,
    }],
  };
}

/** Waits for a pod, and says what it waits for where it does not start. */
async function started(
  namespace: TestNamespace,
  wait: string[],
): Promise<void> {
  console.log("  waits for a pod; the first one may have to fetch its image");
  const timeout = `--timeout=${START_MS / 1000}s`;
  const result = await namespace.kubectl([...wait, timeout], {
    timeout: START_MS + 10_000,
  });
  if (result.code === 0) return;
  const path =
    "{range .items[*].status.containerStatuses[*]}{.state.waiting.reason} {.state.waiting.message}{'\\n'}{end}";
  const reasons = await namespace.kubectl([
    "get",
    "pods",
    `-ojsonpath=${path}`,
  ]);
  succeeded({ ...result, stderr: `${result.stderr}\n${reasons.stdout}` });
}
