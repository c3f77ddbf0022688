// What cannot be done is refused with a code, a way out, and nothing changed.
import assert from "node:assert/strict";
import { join } from "node:path";
import { openTestCluster, succeeded, type TestNamespace } from "./cluster.ts";
import { eventually, Laptop } from "./laptop.ts";
import { ktctl, type KtctlResult } from "./ktctl_process.ts";

interface Refusal {
  readonly title: string;
  readonly args: readonly string[];
  readonly code: string;
  readonly exit: number;
  /** What message, hint and details, as one line, must say. */
  readonly says: RegExp;
  /** The first minor version of Kubernetes that takes it. */
  readonly before?: number;
}

/**
 * Codes of what depends on the objects of a cluster, and of some that stand for the others: that is what is tried
 * on an old one.
 */
const ON_OLD: ReadonlySet<string> = new Set([
  "DEPLOYMENT_AUTOSCALED",
  "DEPLOYMENT_NOT_FOUND",
  "EXPOSE_UNKNOWN_PORT",
  "LOW_PORT",
  "NOT_A_DEPLOYMENT",
  "SERVICE_EXISTS",
  "SERVICE_EXTERNAL_NAME",
  "SERVICE_HEADLESS",
  "SERVICE_NOT_FOUND",
  "SERVICE_WITHOUT_SELECTOR",
  "SEVERAL_DEPLOYMENTS",
  "UDP_PORT",
  "USAGE",
]);
/** The first minor version that is not old. */
const NEW_MINOR = 22;

const PORT = "$PORT"; // where the laptop's program listens
const CLOSED = "1"; // where nothing listens

const refusals: readonly Refusal[] = [
  {
    title: "a Service that is not there",
    args: ["exchange", "wbe", "--expose", `${PORT}:80`],
    code: "SERVICE_NOT_FOUND",
    exit: 5,
    says: /No Service "wbe" in namespace "ktctl-test-.*Did you mean "web"\?/,
  },
  {
    title: "a Deployment that is not there",
    args: ["exchange", "deploy/wbe", "--expose", `${PORT}:80`],
    code: "DEPLOYMENT_NOT_FOUND",
    exit: 5,
    says: /No Deployment "wbe".*Did you mean "web"\?/,
  },
  {
    title: "a Deployment without a Service",
    args: ["exchange", "deploy/alone", "--expose", `${PORT}:80`],
    code: "SERVICE_NOT_FOUND",
    exit: 5,
    says: /No Service selects the pods of Deployment "alone"/,
  },
  {
    title: "labels by which the Service would take the Shadow Pod for its own",
    args: ["exchange", "web", "--expose", `${PORT}:80`, "-l", "a=b,app=web"],
    code: "LABELS_SELECTED",
    exit: 2,
    says: /--withLabel a=b,app=web: Service "web" selects by app=web/,
  },
  {
    title: "labels by which the Service would take its router for its own",
    args: ["mesh", "web", "--expose", `${PORT}:80`, "-l", "app=web"],
    code: "LABELS_SELECTED",
    exit: 2,
    says: /would take our pods for its own/,
  },
  {
    title: "a label that is none",
    args: ["preview", "mine", "--expose", `${PORT}:80`, "-l", "team=a b"],
    code: "LABEL_INVALID",
    exit: 2,
    says: /--withLabel "team=a b"/,
  },
  {
    title: "a kind that cannot be taken",
    args: ["exchange", "pod/web", "--expose", `${PORT}:80`],
    code: "TARGET_INVALID",
    exit: 2,
    says: /"pod" is neither a Service.*svc\/web.*deploy\/web/,
  },
  {
    title: "a name with too many parts",
    args: ["exchange", "svc/web/x", "--expose", `${PORT}:80`],
    code: "TARGET_INVALID",
    exit: 2,
    says: /Cannot read "svc\/web\/x"/,
  },
  {
    title: "a Service without a selector",
    args: ["exchange", "bare", "--expose", `${PORT}:80`],
    code: "SERVICE_WITHOUT_SELECTOR",
    exit: 3,
    says: /"bare": it has no selector.*by hand/,
  },
  {
    title: "an ExternalName",
    args: ["exchange", "elsewhere", "--expose", `${PORT}:80`],
    code: "SERVICE_EXTERNAL_NAME",
    exit: 3,
    says: /"elsewhere": it is an ExternalName.*"example\.com"/,
  },
  {
    title: "a headless Service",
    args: ["exchange", "headless", "--expose", `${PORT}:80`],
    code: "SERVICE_HEADLESS",
    exit: 3,
    says: /"headless": it is headless.*cluster IP/,
  },
  ...[["exchange"], ["mesh"], ["mesh", "--mode", "manual"]].map((
    [verb = "", ...mode],
  ) => ({
    title: `a Service that Argo Rollouts manages, by ${
      [verb, ...mode].join(" ")
    },`,
    args: [verb, "rolled", ...mode, "--expose", `${PORT}:80`],
    code: "SERVICE_OF_ROLLOUT",
    exit: 3,
    says:
      /"rolled": Argo Rollouts.*Rollout "rolled".*Service of your own.*preview/,
  })),
  {
    title: "a UDP port, in mode selector",
    args: ["exchange", "names", "--expose", `${PORT}:53`],
    code: "UDP_PORT",
    exit: 3,
    says: /port 53 is UDP/,
  },
  {
    title: "a UDP port, in mode scale",
    args: ["exchange", "names", "--mode", "scale", "--expose", `${PORT}:53`],
    code: "UDP_PORT",
    exit: 3,
    says: /Cannot expose port 53 of Service "names": it is UDP.*only TCP/,
  },
  {
    title: "a port that is no number",
    args: ["exchange", "web", "--expose", "http"],
    code: "EXPOSE_INVALID",
    exit: 2,
    says: /"http" is neither a port nor local:port.*8080:80/,
  },
  {
    title: "an item with three ports",
    args: ["exchange", "web", "--expose", "1:2:3"],
    code: "EXPOSE_INVALID",
    exit: 2,
    says: /"1:2:3" is neither a port nor local:port/,
  },
  {
    title: "an empty item",
    args: ["exchange", "web", "--expose", "80,"],
    code: "EXPOSE_INVALID",
    exit: 2,
    says: /an item is empty/,
  },
  {
    title: "a port named twice",
    args: ["exchange", "web", "--expose", "8080:80,8081:80"],
    code: "EXPOSE_INVALID",
    exit: 2,
    says: /port 80 is named twice/,
  },
  {
    title: "port 0",
    args: ["exchange", "web", "--expose", "0:80"],
    code: "EXPOSE_INVALID",
    exit: 2,
    says: /port 0 is not between 1 and 65535/,
  },
  {
    title: "a port over 65535",
    args: ["preview", "mine", "--expose", "65536"],
    code: "EXPOSE_INVALID",
    exit: 2,
    says: /port 65536 is not between 1 and 65535/,
  },
  {
    title: "a port that the Service does not have",
    args: ["exchange", "web", "--expose", `${PORT}:81`],
    code: "EXPOSE_UNKNOWN_PORT",
    exit: 2,
    says:
      /Cannot expose port 81: Service "web" has no such port.*80 http.*9000 echo/,
  },
  {
    title: "a port by its two names",
    args: ["exchange", "renumbered", "--expose", `${PORT}:80,${PORT}:8080`],
    code: "EXPOSE_INVALID",
    exit: 2,
    says: /Cannot expose port 80 of Service "renumbered" twice/,
  },
  ...["exchange", "mesh"].map((verb) => ({
    title: `two local ports for one targetPort, ${verb}`,
    args: [verb, "twins", "--expose", `${PORT}:80,${CLOSED}:443`],
    code: "EXPOSE_INVALID",
    exit: 2,
    says:
      /Cannot bring ports 80 and 443 of Service "twins" to different local ports: both have the targetPort http.*Give both the same local port/,
  })),
  {
    title: "exchange where nothing listens",
    args: ["exchange", "web", "--expose", `${CLOSED}:80`],
    code: "LOCAL_PORT_CLOSED",
    exit: 2,
    says: /Nothing listens on local port 1\b.*--skipPortChecking/,
  },
  {
    title: "preview where nothing listens",
    args: ["preview", "mine", "--expose", `${CLOSED}:80`],
    code: "LOCAL_PORT_CLOSED",
    exit: 2,
    says: /Nothing listens on local port 1\b.*--skipPortChecking/,
  },
  {
    title: "preview under a name that is too long",
    args: ["preview", "n".repeat(64), "--expose", `${PORT}:80`],
    code: "NAME_TOO_LONG",
    exit: 2,
    says: /has 64 characters, 63 are allowed.*1 characters? shorter/,
  },
  {
    title: "preview under a name that no Service can have",
    args: ["preview", "My_Service", "--expose", `${PORT}:80`],
    code: "NAME_INVALID",
    exit: 2,
    says: /Cannot name a Service "My_Service".*lower-case/,
  },
  {
    title: "preview under a name that is taken",
    args: ["preview", "web", "--expose", `${PORT}:80`],
    code: "SERVICE_EXISTS",
    exit: 7,
    says: /a Service of that name already exists.*ktctl exchange/,
  },
  {
    title: "a mode that there is not",
    args: ["exchange", "web", "--mode", "selektor", "--expose", `${PORT}:80`],
    code: "MODE_UNKNOWN",
    exit: 2,
    says: /selektor.*selector.*scale|selektor.*scale.*selector/,
  },
  {
    title: "a context that there is not",
    args: [
      "exchange",
      "web",
      "--context",
      "nowhere",
      "--expose",
      `${PORT}:80`,
    ],
    code: "CONTEXT_UNKNOWN",
    exit: 2,
    says: /"nowhere".*Contexts: /,
  },
  {
    title: "a kubeconfig that there is not",
    args: ["clean", "--kubeconfig", "/nonexistent/kubeconfig"],
    code: "KUBECONFIG_NOT_FOUND",
    exit: 2,
    says: /\/nonexistent\/kubeconfig/,
  },
  {
    title: "exchange without --expose",
    args: ["exchange", "web"],
    code: "EXPOSE_MISSING",
    exit: 2,
    says: /--expose 8080:80/,
  },
  {
    title: "preview without --expose",
    args: ["preview", "mine"],
    code: "EXPOSE_MISSING",
    exit: 2,
    says: /--expose 8080:80/,
  },
  {
    title: "a misspelt flag",
    args: ["exchange", "web", "--exposed", "80"],
    code: "USAGE",
    exit: 2,
    says: /--exposed.*Did you mean --expose\?/,
  },
  {
    title: "a misspelt verb",
    args: ["exchang", "web"],
    code: "USAGE",
    exit: 2,
    says: /exchang.*Did you mean exchange\?/,
  },
  {
    title: "a number that is none",
    args: ["clean", "--thresholdInMinus", "soon"],
    code: "FLAG_INVALID",
    exit: 2,
    says: /--thresholdInMinus "soon": it must be a whole number, 0 or more/,
  },
  {
    title: "a low targetPort on a server too old to allow it",
    args: ["exchange", "low", "--expose", `${PORT}:80`],
    code: "LOW_PORT",
    exit: 3,
    says: /targetPort 80 .*older than 1\.22.*named targetPort/,
    before: 22,
  },
  {
    title: "scaling what is no Deployment",
    args: ["exchange", "set", "--mode", "scale", "--expose", `${PORT}:80`],
    code: "NOT_A_DEPLOYMENT",
    exit: 3,
    says: /behind Service "set".*--mode selector/,
  },
  {
    title: "scaling one of several Deployments",
    args: ["exchange", "several", "--mode", "scale", "--expose", `${PORT}:80`],
    code: "SEVERAL_DEPLOYMENTS",
    exit: 3,
    says: /"one", "two".*deploy\/<name>/,
  },
  {
    title: "scaling what an autoscaler scales",
    args: ["exchange", "elastic", "--mode", "scale", "--expose", `${PORT}:80`],
    code: "DEPLOYMENT_AUTOSCALED",
    exit: 7,
    says: /HorizontalPodAutoscaler "elastic".*--mode selector/,
  },
  {
    title: "keeping a number of replicas that is none",
    args: [
      ...["exchange", "web", "--mode", "scale", "--keepReplicas", "few"],
      ...["--expose", `${PORT}:80`],
    ],
    code: "PLUGIN_OPTIONS_INVALID",
    exit: 2,
    says: /--keepReplicas "few": it must be a whole number, 0 or more/,
  },
  {
    title: "keeping replicas where none is scaled",
    args: ["exchange", "web", "--keepReplicas", "1", "--expose", `${PORT}:80`],
    code: "OPTION_OF_OTHER_MODE",
    exit: 2,
    says: /--keepReplicas has no meaning in mode selector.*--mode scale/,
  },
  {
    title: "recovering nothing",
    args: ["recover", ""],
    code: "TARGET_INVALID",
    exit: 2,
    says: /Cannot read "".*svc\/web/,
  },
  {
    title: "recovering a kind without a name",
    args: ["recover", "svc/"],
    code: "TARGET_INVALID",
    exit: 2,
    says: /Cannot read "svc\/"/,
  },
  {
    title: "recovering a Service that is not there",
    args: ["recover", "wbe"],
    code: "SERVICE_NOT_FOUND",
    exit: 5,
    says: /Did you mean "web"\?/,
  },
];

const unreachable = JSON.stringify({
  apiVersion: "v1",
  kind: "Config",
  "current-context": "gone",
  clusters: [{ name: "gone", cluster: { server: "http://127.0.0.1:1" } }],
  contexts: [{ name: "gone", context: { cluster: "gone", user: "gone" } }],
  users: [{ name: "gone", user: {} }],
});

Deno.test("bad input", async (t) => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  await applyTargets(namespace);
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();

  const check = (
    { code, exit, says }: Omit<Refusal, "title" | "args">,
    result: KtctlResult,
  ) => {
    const all = result.stdout + result.stderr;
    assert.equal(result.error?.["code"], code, all);
    assert.equal(result.code, exit, all);
    const { message, hint = "", details } = result.error!;
    assert.match([message, hint, ...details].join(" "), says);
  };
  for (const { title, args, before = Infinity, ...expected } of refusals) {
    await t.step({
      name: `${title} is refused`,
      ignore: cluster.minor >= before ||
        cluster.minor < NEW_MINOR && !ON_OLD.has(expected.code),
      async fn() {
        const real = args.map((arg) =>
          arg.replaceAll(PORT, String(laptop.demo.port))
        );
        check(expected, await laptop.run(real));
      },
    });
  }
  await t.step("a namespace that there is not is told of", async () => {
    check(
      {
        code: "NAMESPACE_NOT_FOUND",
        exit: 5,
        // with those that have such a Service: this test's own, and others' beside it
        says: /no namespace "no-such-place".* ha(s|ve) a Service "web": .*-n/,
      },
      await ktctl(["exchange", "web", "--expose", String(laptop.demo.port)], {
        kubeconfig: cluster.kubeconfig,
        namespace: "no-such-place",
        env: { XDG_STATE_HOME: laptop.stateHome },
      }),
    );
  });
  await t.step("an API server that is not there is told of", async () => {
    const kubeconfig = join(laptop.stateHome, "gone.kubeconfig");
    await Deno.writeTextFile(kubeconfig, unreachable);
    check(
      {
        code: "CLUSTER_UNREACHABLE",
        exit: 5,
        says: /http:\/\/127\.0\.0\.1:1.*refused.*VPN/,
      },
      await laptop.run(["exchange", "web", "--expose", "80"], { kubeconfig }),
    );
  });
  await t.step("nothing was changed by any of it", async () => {
    assert.equal(await namespace.snapshot(), before);
    assert.deepEqual(laptop.journals(), []);
  });
});

/** No pod runs in this namespace: nothing may come as far as needing one. */
async function applyTargets(namespace: TestNamespace): Promise<void> {
  const port = { name: "http", port: 80, targetPort: "http" };
  const service = (name: string, spec: Record<string, unknown>) => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name },
    spec: { selector: { app: name }, ports: [port], ...spec },
  });
  const workload = (
    kind: string,
    name: string,
    labels: Record<string, string>,
  ) => ({
    apiVersion: "apps/v1",
    kind,
    metadata: { name },
    spec: {
      replicas: 0,
      ...(kind === "StatefulSet" ? { serviceName: name } : {}),
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          containers: [{ name: "main", image: "localhost/busybox:1" }],
        },
      },
    },
  });
  const items = [
    service("web", { ports: [port, { name: "echo", port: 9000 }] }),
    workload("Deployment", "web", { app: "web" }),
    workload("Deployment", "alone", { app: "alone" }),
    service("bare", { selector: undefined }),
    service("elsewhere", {
      type: "ExternalName",
      externalName: "example.com",
      selector: undefined,
    }),
    service("headless", { clusterIP: "None" }),
    {
      ...service("rolled", {}),
      metadata: {
        name: "rolled",
        annotations: {
          "argo-rollouts.argoproj.io/managed-by-rollouts": "rolled",
        },
      },
    },
    service("names", {
      ports: [port, { name: "dns", port: 53, protocol: "UDP" }],
    }),
    workload("Deployment", "names", { app: "names" }),
    service("renumbered", { ports: [{ port: 80, targetPort: 8080 }] }),
    service("twins", {
      ports: [
        { name: "http", port: 80, targetPort: "http" },
        { name: "https", port: 443, targetPort: "http" },
      ],
    }),
    service("low", { ports: [{ port: 80, targetPort: 80 }] }),
    service("set", {}),
    workload("StatefulSet", "set", { app: "set" }),
    service("several", {}),
    workload("Deployment", "one", { app: "several", part: "one" }),
    workload("Deployment", "two", { app: "several", part: "two" }),
    service("elastic", {}),
    workload("Deployment", "elastic", { app: "elastic" }),
    {
      apiVersion: "autoscaling/v1",
      kind: "HorizontalPodAutoscaler",
      metadata: { name: "elastic" },
      spec: {
        scaleTargetRef: {
          apiVersion: "apps/v1",
          kind: "Deployment",
          name: "elastic",
        },
        maxReplicas: 3,
      },
    },
  ];
  await namespace.apply(
    JSON.stringify({ apiVersion: "v1", kind: "List", items }),
  );
  // until the cluster's controllers have written what they write by themselves
  succeeded(
    await namespace.kubectl([
      "wait",
      "--for=condition=Available",
      "deployments",
      "--all",
      "--timeout=60s",
    ]),
  );
  await eventually("the autoscaler has looked at its Deployment", async () => {
    const autoscaler = await namespace.kubectl([
      "get",
      "horizontalpodautoscalers.v1.autoscaling",
      "elastic",
      "-o",
      "yaml",
    ]);
    return succeeded(autoscaler).includes("ScalingDisabled");
  }, 60_000);
}
