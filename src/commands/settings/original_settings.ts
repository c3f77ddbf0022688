/** The settings file of the original ktctl, `~/.kt/config`. */
import { join } from "node:path";
import { withAbsolutePaths } from "./named_files.ts";
import { readSettingsFile } from "./read_settings_file.ts";
import { itemName, type Setting, type SettingLayer } from "./setting.ts";

/** What means the same there and here. */
const SAME: Readonly<Record<string, readonly string[]>> = {
  global: [
    "context",
    "debug",
    "forceUpdate",
    "imagePullSecret",
    "kubeconfig",
    "namespace",
    "nodeSelector",
    "podCreationTimeout",
    "podQuota",
    "portForwardTimeout",
    "serviceAccount",
    "useShadowDeployment",
    "withAnnotation",
    "withLabel",
  ],
  connect: [
    "clusterDomain",
    "disablePodIp",
    "disableTunDevice",
    "disableTunRoute",
    "dnsCacheTtl",
    "dnsMode",
    "dnsPort",
    "excludeIps",
    "includeDomains",
    "includeIps",
    "ingressIp",
    "mode",
    "proxyAddr",
    "proxyPort",
    "shareShadow",
    "skipCleanup",
  ],
  exchange: ["expose", "mode", "recoverWaitTime"],
  mesh: ["expose", "mode", "versionMark"],
  preview: ["expose", "external"],
  clean: ["dryRun", "localOnly", "thresholdInMinus"],
};

/** `undefined` where there is no such file, or nothing in it. Throws `UsageError` (`CONFIG_INVALID`, `CONFIG_UNREADABLE`). */
export async function readOriginal(
  home: string | undefined,
): Promise<{ layer: SettingLayer; note?: string } | undefined> {
  if (home === undefined) return undefined;
  const file = join(home, ".kt", "config");
  const read = await readSettingsFile(file);
  const given = read?.settings.filter(({ value }) => !isUnset(value)) ?? [];
  if (given.length === 0) return undefined;
  const used = given.filter(isSame);
  const settings = withAbsolutePaths(used, file);
  const layer: SettingLayer = {
    origin: "original",
    file,
    settings,
    isTrusted: true,
    isForeign: false,
  };
  const unused = given.filter((one) => !used.includes(one));
  const note = [
    `"${file}" of the original ktctl is used: ${listed(used)}`,
    ...(unused.length === 0 ? [] : [
      `not used, as it means something else here or nothing: ${listed(unused)}`,
    ]),
    "`ktctl config set` starts a file of your own with what is used",
  ].join("; ");
  return { layer, note };
}

/** There an empty text, 0 and false leave the default as it is. */
function isUnset(value: Setting["value"]): boolean {
  return value === "" || value === "0" || value === "false" || value === false;
}

function isSame({ group, name, value }: Setting): boolean {
  if (group === "exchange" && value === "ephemeral") return false;
  return Object.hasOwn(SAME, group) && SAME[group]!.includes(name);
}

function listed(settings: readonly Setting[]): string {
  return settings.map(itemName).join(", ") || "nothing";
}
