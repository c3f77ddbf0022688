import { homedir, hostname, userInfo } from "node:os";
import { createTarGzip } from "nanotar";
import { messageOf, PermissionError } from "../../core/errors.ts";
import { VERSION } from "../../core/version.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import { kubeconfigPaths } from "../../kube/kubeconfig/kubeconfig_files.ts";
import { kubeconfigNames } from "../../kube/kubeconfig/kubeconfig_names.ts";
import type { GlobalOptions } from "../session/global_options.ts";
import type { Host } from "../session/host.ts";
import { Redactor, type Secret } from "./redactor.ts";
import type { Told } from "./told.ts";

/** Their values say nothing of anybody but whether they are set. */
const VARIABLES = [
  ...["KUBECONFIG", "KTCTL_RESTORE_AFTER", "SUDO_USER", "TERM", "LANG"],
  ...["XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "DENO_DIR"],
  ...["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "ALL_PROXY"],
];

/** They tell nothing of anybody, and are words of many sentences. */
const COMMON_NAMES: ReadonlySet<string> = new Set([
  ...["default", "kube-system", "in-cluster", "kubernetes", "cluster"],
  ...["kubernetes-admin", "kubernetes-admin@kubernetes", "admin", "user"],
  ...["root", "minikube", "docker-desktop", "rancher-desktop", "orbstack"],
  ...["kind-kind", "microk8s", "localhost", "127.0.0.1", "0.0.0.0", "::1"],
  ...["local", "svc", "internal", "context", "namespace", "server", "ktctl"],
]);

export interface BundleContents {
  readonly host: Host;
  readonly told: readonly Told[];
  /** What was looked for. */
  readonly options: Pick<
    GlobalOptions,
    "kubeconfig" | "context" | "namespace"
  >;
  /** The cluster, where one answered: in a pod it is in no kubeconfig. */
  readonly target:
    | Pick<KubeApi, "server" | "context" | "namespace">
    | undefined;
}

/**
 * A `.tar.gz` for a bug report, which only this user can read at first.
 *
 * @throws {PermissionError} `BUNDLE_UNWRITABLE`.
 */
export async function writeBundle(
  path: string,
  contents: BundleContents,
): Promise<void> {
  const { host, told } = contents;
  const redactor = new Redactor(await secretsOf(contents));
  const file = (name: string, data: string) => ({
    name: `ktctl-doctor/${name}`,
    data,
  });
  const json = (name: string, value: unknown) =>
    file(name, `${JSON.stringify(redactor.redactAll(value), null, 2)}\n`);
  const archive = await createTarGzip([
    file("README.txt", README),
    file("report.txt", redactor.redact(reportText(told))),
    json(
      "report.json",
      told.map(({ finding: { cause, ...finding }, ...one }) => ({
        ...one,
        ...finding,
        ...(cause !== undefined && {
          code: cause.code,
          details: cause.details,
        }),
      })),
    ),
    json("environment.json", environment(host)),
  ]);
  try {
    await Deno.writeFile(path, archive, { createNew: true, mode: 0o600 });
  } catch (error) {
    throw new PermissionError(
      "BUNDLE_UNWRITABLE",
      `Cannot write "${path}": ${messageOf(error)}`,
      { hint: "Name another file with --bundle.", cause: error },
    );
  }
}

const README = `What \`ktctl doctor\` (${VERSION}) found, for a bug report.

Taken out: keys, certificates, tokens and passwords; the names of this machine and its user; of the
contexts, clusters, users, namespaces and servers in the kubeconfigs; other names of hosts, and public
addresses.
Private addresses are still there, as they tell of overlaps. Read it before you pass it on.
`;

function environment(host: Host) {
  return {
    ktctl: VERSION,
    deno: Deno.version,
    build: Deno.build,
    release: Deno.osRelease(),
    variablesSet: VARIABLES.filter((name) => (host.env(name) ?? "") !== ""),
  };
}

function reportText(told: readonly Told[]): string {
  return told.map(({ about, title, finding }) =>
    `${about.padEnd(7)} ${
      finding.state.padEnd(7)
    } ${title}: ${finding.message}\n`
  ).join("");
}

/** What is known to name somebody, or something of theirs. */
async function secretsOf(
  { host, told, options, target }: BundleContents,
): Promise<Secret[]> {
  const ofTarget: Secret[] = target === undefined ? [] : [
    { text: target.server, name: "server" },
    { text: new URL(target.server).hostname, name: "server host" },
    { text: target.context, name: "context" },
    { text: target.namespace, name: "namespace" },
  ];
  const ofSessions = told.flatMap(({ name, finding }) =>
    name === "sessions" ? sessionNames(finding.facts) : []
  );
  return [
    ...[
      ...[...ofTarget, ...ofSessions, ...ofOptions(options)],
      ...await ofKubeconfigs(host, options),
    ].filter(({ text }) => !COMMON_NAMES.has(text)),
    ...unproxiedHosts(host),
    { text: homedir(), name: "home" },
    { text: hostname(), name: "this machine" },
    ...host.user === "root" ? [] : [{ text: host.user, name: "user" }],
    ...ownName(),
  ];
}

/** They are there also where no cluster answers. */
function ofOptions(
  { context, namespace }: BundleContents["options"],
): Secret[] {
  return [
    ...context ? [{ text: context, name: "context" }] : [],
    ...namespace ? [{ text: namespace, name: "namespace" }] : [],
  ];
}

async function ofKubeconfigs(
  host: Host,
  { kubeconfig }: BundleContents["options"],
): Promise<Secret[]> {
  const [home, userProfile] = [host.env("HOME"), host.env("USERPROFILE")];
  const env = {
    ...{ KUBECONFIG: host.env("KUBECONFIG") },
    ...{ HOME: home, USERPROFILE: userProfile },
  };
  const place = { kubeconfig, env };
  const names = await kubeconfigNames(place);
  // the default one is called so everywhere
  const files = kubeconfig || env.KUBECONFIG ? kubeconfigPaths(place) : [];
  return [
    ...names.map(({ kind, text }) => ({ text, name: kind })),
    ...files.map((text) => ({ text, name: "kubeconfig" })),
  ];
}

/** The domains of a company, among others; in that list a name alone is a host's as well. */
function unproxiedHosts({ env }: Host): Secret[] {
  const all = [env("NO_PROXY"), env("no_proxy")].join(",").split(",");
  return all.map((one) => one.trim())
    .filter((one) => /^(\*?\.)?[a-z][\w-]*$/i.test(one))
    .map((one) => one.replace(/^\*?\./, ""))
    .filter((one) => !COMMON_NAMES.has(one.toLowerCase()))
    .map((text) => ({ text, name: "host" }));
}

function ownName(): Secret[] {
  try {
    const { username } = userInfo();
    return username === "root" ? [] : [{ text: username, name: "user" }];
  } catch {
    return []; // a container's uid may have no name
  }
}

/** Contexts and namespaces of other sessions of this laptop. */
function sessionNames(facts: Told["finding"]["facts"]): Secret[] {
  const sessions = [facts?.["live"], facts?.["dead"]].flatMap((one) =>
    Array.isArray(one) ? one : []
  );
  return sessions.flatMap((session) => {
    const { context, namespace } = Object(session);
    return [
      ...typeof context === "string"
        ? [{ text: context, name: "context" }]
        : [],
      ...typeof namespace === "string"
        ? [{ text: namespace, name: "namespace" }]
        : [],
    ];
  });
}
