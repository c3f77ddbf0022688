/** The options that every command takes, as the original ktctl has them. */
import { Option } from "commander";
import type { Command } from "commander";
import {
  parseAnnotations,
  parseImage,
  parseLabels,
  parseObjectName,
  parsePodQuota,
  parseWhole,
} from "../../cli/flag_values.ts";
import {
  type PodOptions,
  SHADOW_IMAGE,
} from "../../cluster/pod/pod_options.ts";
import {
  LINK_PROTOCOLS,
  type LinkProtocol,
} from "../../link/wire/link_protocol.ts";
import {
  parseToleration,
  type Toleration,
} from "../../cluster/pod/toleration.ts";

export interface GlobalOptions {
  readonly namespace?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly image: string;
  readonly imagePullSecret?: string;
  readonly serviceAccount?: string;
  readonly nodeSelector: Record<string, string>;
  readonly toleration: Toleration[];
  readonly withLabel: Record<string, string>;
  readonly withAnnotation: Record<string, string>;
  /** Seconds. */
  readonly portForwardTimeout: number;
  /** Seconds. */
  readonly podCreationTimeout: number;
  readonly link?: LinkProtocol;
  readonly useShadowDeployment: boolean;
  readonly forceUpdate: boolean;
  readonly podQuota: Record<string, string>;
  readonly debug: boolean;
  readonly output: OutputForm;
}

/** `yaml` is of a dry run: its objects as manifests, and all else as for people. */
export type OutputForm = "human" | "json" | "yaml";

/** The options that may be given several times. */
export const REPEATED: ReadonlySet<string> = new Set(["plugin", "toleration"]);

export function addGlobalOptions(program: Command): void {
  const labels = (flag: string) => (text: string) => parseLabels(flag, text);
  const options = [
    new Option(
      "-n, --namespace <name>",
      "namespace (default: the context's)",
    ),
    new Option(
      "-c, --kubeconfig <file>",
      "kubeconfig file (default: $KUBECONFIG, ~/.kube/config)",
    ),
    new Option("--context <name>", "kubeconfig context"),
    new Option(
      "-i, --image <image>",
      "image of the Shadow Pod: any with Deno in it",
    ).argParser(parseImage("image")).default(SHADOW_IMAGE),
    new Option("--imagePullSecret <name>", "pull secret of ktctl's pods")
      .argParser(parseObjectName("imagePullSecret")),
    new Option("--serviceAccount <name>", "service account of ktctl's pods")
      .argParser(parseObjectName("serviceAccount")),
    new Option(
      "--nodeSelector <pairs>",
      "node labels that ktctl's pods need, key=value,… (default: as the workload's)",
    ).argParser(labels("nodeSelector"))
      .default({}, "none"),
    new Option(
      "--toleration <taint>",
      "taint that ktctl's pods tolerate, key=value:effect, in addition to those that the workload tolerates; may be given several times",
    ).argParser((one, all: Toleration[] = []) => [...all, parseToleration(one)])
      .default([], "none"),
    new Option(
      "-l, --withLabel <pairs>",
      "extra labels on all objects that ktctl creates, key=value,…",
    ).argParser(labels("withLabel"))
      .default({}, "none"),
    new Option(
      "--withAnnotation <pairs>",
      "extra annotations on all objects that ktctl creates, key=value,…",
    )
      .argParser((text) => parseAnnotations("withAnnotation", text)).default(
        {},
        "none",
      ),
    new Option(
      "--portForwardTimeout <seconds>",
      "how long to wait for the connection to the Shadow Pod",
    )
      .argParser(parseWhole("portForwardTimeout", 1)).default(10),
    new Option(
      "--podCreationTimeout <seconds>",
      "how long to wait for a pod to start",
    )
      .argParser(parseWhole("podCreationTimeout", 1)).default(60),
    new Option(
      "--link <protocol>",
      "what is spoken with the Shadow Pod (default: tls, with --shareShadow ssh)",
    ).choices(LINK_PROTOCOLS),
    new Option(
      "--useShadowDeployment",
      "create a Deployment instead of a Pod, so that it survives the loss of its node",
    ).default(false),
    new Option("-f, --forceUpdate", "pull the image even if the node has it")
      .default(false),
    new Option(
      "--podQuota <cores,memory>",
      "requests and limits of ktctl's pods, such as 0.5c,512m or 0.5c,512m,ephemeral-storage=1g",
    )
      .argParser(parsePodQuota).default({}, "none"),
    new Option(
      "--plugin <module>",
      "load a plugin (a path or URL), for --mode; may be given several times",
    ).argParser((one, all: string[] = []) => [...all, one]),
    new Option(
      "--output <form>",
      "format of the output; yaml is for --dryRun: the objects, as kubectl takes them",
    ).choices(["human", "json", "yaml"]).default("human"),
    new Option("-d, --debug", "show debug output").default(false),
    new Option(
      "--useLocalTime",
      "of the original ktctl; has no effect: time comes from the API server",
    ).hideHelp(),
    new Option("--ipVersion <4|6>", "of the original ktctl; has no effect")
      .hideHelp(),
    new Option("--asWorker", "of the original ktctl; has no effect").hideHelp(),
  ];
  for (const option of options) program.addOption(option);
}

/** What the options say of our pods. */
export function podOptions(globals: GlobalOptions): PodOptions {
  return {
    image: globals.image,
    imagePullPolicy: globals.forceUpdate ? "Always" : "IfNotPresent",
    nodeSelector: globals.nodeSelector,
    tolerations: globals.toleration,
    labels: globals.withLabel,
    annotations: globals.withAnnotation,
    quota: globals.podQuota,
    asDeployment: globals.useShadowDeployment,
    ...(globals.imagePullSecret === undefined
      ? {}
      : { imagePullSecret: globals.imagePullSecret }),
    ...(globals.serviceAccount === undefined
      ? {}
      : { serviceAccount: globals.serviceAccount }),
  };
}

/** What the options say of the link, and of the pod that it leads to. */
export function linkSettings(
  { podCreationTimeout, portForwardTimeout, link }: GlobalOptions,
): {
  podTimeoutMs: number;
  linkTimeoutMs: number;
  linkProtocol?: LinkProtocol;
} {
  return {
    podTimeoutMs: podCreationTimeout * 1000,
    linkTimeoutMs: portForwardTimeout * 1000,
    ...(link === undefined ? {} : { linkProtocol: link }),
  };
}
