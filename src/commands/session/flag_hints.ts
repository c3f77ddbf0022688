/**
 * Advice that names flags. Code below the commands knows none: its errors and warnings get this advice
 * where they come to the command line.
 */
import type { KtctlError, Remedy } from "../../core/errors.ts";
import type { ReportEvent } from "../../core/report.ts";
import type { GlobalOptions } from "./global_options.ts";

const PROXY =
  "Or use --disableTunDevice for a SOCKS5 proxy, which needs no root.";
const NO_TUN =
  "Use --disableTunDevice for a SOCKS5 proxy, or, on Linux and macOS, --mode sshuttle.";
const HOSTS_FILE = "Or use --dnsMode hosts.";
const PATIENCE = "Or raise --portForwardTimeout.";

/** By the code of an error. */
const OF_ERRORS: Readonly<Record<string, string>> = {
  AGENT_UNREACHABLE: PATIENCE,
  CONSOLE_UNUSABLE: PROXY,
  CONTEXT_MISSING: "Or name one with --context.",
  DNS_PORT_TAKEN: HOSTS_FILE,
  FFI_NOT_ALLOWED: PROXY,
  KUBECONFIG_NOT_FOUND: "Or name one with --kubeconfig.",
  LOCAL_PORT_CLOSED:
    "Or name another port with --expose local:port, or use --skipPortChecking to start without it.",
  MARK_TAKEN: "Set the mark with --versionMark.",
  NO_READY_POD: PATIENCE,
  NRPT_OVERRULED: "Use --dnsMode hosts.",
  ORIGINAL_UNREACHABLE:
    "Or give our pods, with --withLabel key=value, a label that it admits and no Service selects; or use --mode manual, which needs no router.",
  PLUGIN_NEEDED: "Load it with --plugin.",
  POD_WOULD_BE_ADOPTED: "Use --mode auto.",
  POWERSHELL_FAILED: PROXY,
  REDIRECT_UNSUPPORTED:
    "Use --mode tun2socks, or --disableTunDevice for a SOCKS5 proxy.",
  RESOLVED_REFUSED: "Use --dnsMode hosts to work without systemd-resolved.",
  RESTORED_MEANWHILE:
    "With --takeAgain it begins again by itself, if nobody else has the Service by then.",
  RESTORE_AFTER_FORBIDDEN: "Or leave out --restoreAfter.",
  RIGHTS_UNKNOWN: PROXY,
  ROOT_NEEDED: PROXY,
  ROOT_REFUSED: PROXY,
  ROUTER_NAME_TAKEN: "Or use --mode manual, which needs no router.",
  ROUTE_TAKEN: "Or leave its addresses alone with --excludeIps.",
  RULES_NAME_TAKEN: "Print them with --emitRules.",
  SERVICE_ALREADY_EXCHANGED: "Or ask them with --takeOver.",
  SERVICE_ACCOUNT_NOT_FOUND: "Or name another one with --serviceAccount.",
  // `mesh` shares a router, and asks nobody to leave it
  SERVICE_MESHED: "Or ask them with `ktctl exchange --takeOver`.",
  SHARE_NAME_TAKEN: "Or connect without --shareShadow.",
  STUNTMAN_NAME_TAKEN:
    "Or use --mode scale --keepReplicas 0, which needs no Service of that name.",
  TUN_FIREWALLED: NO_TUN,
  TUN_IN_USE: NO_TUN,
  TUN_NOT_ALLOWED: NO_TUN,
  TUN_NO_ADDRESS: NO_TUN,
  TUN_UNSUPPORTED: NO_TUN,
  WINTUN_MISSING: PROXY,
  WINTUN_UNUSABLE: PROXY,
};

/** By the code of a warning. */
const OF_WARNINGS: Readonly<Record<string, string>> = {
  ORIGINAL_UNREACHABLE:
    "Or give our pod, with --withLabel key=value, a label that it admits and no Service selects.",
  POD_OUT_OF_MEMORY: "Give it more memory with --podQuota.",
  POD_RANGE_UNKNOWN: "Name the ranges with --includeIps.",
  RANGE_OVERLAPS: "Leave some of them alone with --excludeIps.",
  SERVICE_RANGE_PARTIAL: "Add ranges with --includeIps.",
  SERVICE_RANGE_UNKNOWN: "Name the range with --includeIps.",
};

const OF_REMEDIES: Readonly<Record<Remedy, string>> = {
  "annotations": "--withAnnotation key=value",
  "image": "--image",
  "image-pull-secret": "--imagePullSecret",
  "labels": "--withLabel key=value",
  "more-time": "--podCreationTimeout",
  "node-selector": "--nodeSelector key=value",
  "pod-quota": "--podQuota, such as `--podQuota 0.5c,256m`",
  "pod-quota-storage":
    "--podQuota, such as `--podQuota 0.5c,256m,ephemeral-storage=256m`",
  "router-image": "--routerImage (for a Router Pod)",
  "service-account": "--serviceAccount",
  "tolerations": "--toleration key=value:effect",
};

const FLAG = /--[a-z]\w+/gi;

/** The hint of an error as a user of the command line gets it; `undefined` where there is none. */
export function hintWithFlags(
  { code, hint, remedies }: Pick<KtctlError, "code" | "hint" | "remedies">,
): string | undefined {
  const ways = remedies.map((one) => OF_REMEDIES[one]);
  const added = ways.length > 0
    ? `Use ${ways.join(" or ")}.`
    : Object.hasOwn(OF_ERRORS, code)
    ? OF_ERRORS[code]
    : undefined;
  if (hint === undefined || added === undefined) return hint ?? added;
  // a plugin's own hint may name them already
  const named = added.match(FLAG)?.some((flag) => hint.includes(flag));
  return named ? hint : `${hint} ${added}`;
}

/** The text of a warning as a user of the command line gets it. */
export function warningWithFlags(code: string, message: string): string {
  return Object.hasOwn(OF_WARNINGS, code)
    ? `${message}. ${OF_WARNINGS[code]}`
    : message;
}

/** Where a command goes, as far as its options say. */
export type Place = Partial<
  Pick<GlobalOptions, "namespace" | "context" | "kubeconfig">
>;

const IN_BACKQUOTES =
  /`((?:ktctl (?:clean|recover)|kubectl (?!config\b))[^`]*)`/g;
/** A warning's `ktctl clean` may be about journals of other clusters. */
const KUBECTL = /`(kubectl (?!config\b)[^`]*)`/g;
/** The rest of a text is commands, which name their namespace. */
const UNDOING = /(?:to undo|by hand): .+$/s;
const COMMAND = /\b(?:kubectl|ktctl (?:clean|recover))(?= )/g;

/**
 * The event with its commands as they go to the same place: whoever copies one must not clean up in
 * another cluster, or take a Service of that name in another namespace.
 */
export function placedEvent(event: ReportEvent, place: Place): ReportEvent {
  const hinted = (text: string) => placedHint(text, place);
  const undoing = (text: string) =>
    text.replace(UNDOING, (rest) => placedCommands(rest, place));
  switch (event.event) {
    case "error": {
      const { hint, details } = event;
      return {
        ...event,
        ...(hint !== undefined && { hint: hinted(hint) }),
        ...(details !== undefined && { details: details.map(undoing) }),
      };
    }
    case "warning":
      return {
        ...event,
        message: placedHint(undoing(event.message), place, KUBECTL),
      };
    case "closed":
      return { ...event, reason: hinted(event.reason) };
    case "check":
      return event.advice === undefined
        ? event
        : { ...event, advice: hinted(event.advice) };
    case "ready":
      return typeof event["hint"] === "string"
        ? { ...event, hint: hinted(event["hint"]) }
        : event;
    default:
      return event;
  }
}

function placedHint(
  text: string,
  place: Place,
  commands = IN_BACKQUOTES,
): string {
  return text.replace(commands, (whole, command: string) => {
    if (command.includes(" --localOnly")) return whole;
    const hasNamespace = / -n |^kubectl (get (node|namespace)|create cluster)/
      .test(command);
    const { namespace = "" } = hasNamespace ? {} : place;
    return `\`${command}${flag("-n", namespace)}${
      clusterFlags(command, place)
    }\``;
  });
}

/** Commands that name their namespace, with the cluster that they are for. */
export function placedCommands(text: string, place: Place): string {
  const flags = clusterFlags(text, place);
  return text.replace(COMMAND, (command) => command + flags);
}

/** Those that are not there yet: what was told before is told again. */
function clusterFlags(
  text: string,
  { context = "", kubeconfig = "" }: Place,
): string {
  const missing = (name: string, value: string) =>
    text.includes(`${name} `) ? "" : flag(name, value);
  return missing("--context", context) + missing("--kubeconfig", kubeconfig);
}

/** A flag as a shell takes it, behind a space; "" without a value. */
export function flag(name: string, value: string): string {
  if (value === "") return "";
  const isPlain = /^[\w@%+=:,./~-]+$/.test(value);
  return ` ${name} ${isPlain ? value : `'${value.replaceAll("'", "'\\''")}'`}`;
}
