/** How the values of flags are read. Each throws `UsageError` with what was expected. */
import { UsageError } from "../core/errors.ts";
import { imageFlagFault } from "../kube/image_reference.ts";
import { isObjectName } from "../kube/is_object_name.ts";

/** `k=v,k2=v2`. */
export function parsePairs(flag: string, text: string): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (
    const item of text.split(",").map((one) => one.trim()).filter((one) =>
      one !== ""
    )
  ) {
    const at = item.indexOf("=");
    if (at < 1) {
      throw new UsageError(
        "FLAG_INVALID",
        `Cannot read --${flag} "${text}": "${item}" is not key=value`,
        {
          hint: `Write \`--${flag} key=value,key2=value2\`.`,
        },
      );
    }
    pairs[item.slice(0, at)] = item.slice(at + 1);
  }
  return pairs;
}

/** A name of labels and annotations: an optional domain with a slash, and a name. */
const META_DOMAIN = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;
const META_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

function isMetaKey(key: string): boolean {
  const parts = key.split("/");
  const [name = "", domain] = parts.reverse();
  return parts.length <= 2 && name.length <= 63 && META_NAME.test(name) &&
    (domain === undefined ||
      (domain.length <= 253 && META_DOMAIN.test(domain)));
}

/** Pairs that are labels, by what Kubernetes takes for one. */
export function parseLabels(
  flag: string,
  text: string,
): Record<string, string> {
  const labels = parseAnnotations(flag, text);
  for (const [key, value] of Object.entries(labels)) {
    if (value === "" || (value.length <= 63 && META_NAME.test(value))) continue;
    throw new UsageError(
      "LABEL_INVALID",
      `Cannot use --${flag} "${key}=${value}": a label value has at most 63 letters, digits, "-", "_" and ".", and starts and ends with a letter or digit`,
    );
  }
  return labels;
}

/** Pairs whose keys are names of annotations; their values may be any. */
export function parseAnnotations(
  flag: string,
  text: string,
): Record<string, string> {
  const pairs = parsePairs(flag, text);
  const bad = Object.keys(pairs).find((key) => !isMetaKey(key));
  if (bad === undefined) return pairs;
  throw new UsageError(
    "LABEL_INVALID",
    `Cannot use --${flag} "${bad}=…": a name is an optional domain and "/", then at most 63 letters, digits, "-", "_" and ".", with a letter or digit at both ends`,
    {
      hint:
        `Write \`--${flag} team=web\` or \`--${flag} example.com/team=web\`.`,
    },
  );
}

/** `0.5c,512m,ephemeral-storage=1g`: cores, memory and local disk, as Kubernetes quantities. */
export function parsePodQuota(text: string): Record<string, string> {
  const quota: Record<string, string> = {};
  for (const item of text.split(",").map((one) => one.trim())) {
    const cpu = /^([0-9]+(?:\.[0-9]+)?)c$/i.exec(item)?.[1];
    const [, disk, amount, unit = ""] =
      /^(ephemeral-storage=)?([0-9]+(?:\.[0-9]+)?)([kmg])$/i.exec(item) ?? [];
    if (cpu !== undefined) quota.cpu = cpu;
    else if (amount !== undefined) {
      quota[disk === undefined ? "memory" : "ephemeral-storage"] =
        `${amount}${unit.toUpperCase()}i`;
    } else {
      throw new UsageError(
        "FLAG_INVALID",
        `Cannot read --podQuota "${text}": "${item}" is neither cores nor memory nor ephemeral-storage`,
        {
          hint:
            "Write cores with c and memory with k, m or g, such as `--podQuota 0.5c,512m` or `--podQuota 0.5c,512m,ephemeral-storage=1g`.",
        },
      );
    }
  }
  return quota;
}

/** A whole number of at least `min`. */
export function parseWhole(
  flag: string,
  min: number,
): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= min) {
      return value;
    }
    throw new UsageError(
      "FLAG_INVALID",
      `Cannot read --${flag} "${text}": it must be a whole number, ${min} or more`,
    );
  };
}

const UNITS_MS: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
};

/**
 * `10s`, `5m`, `1h30m`, as milliseconds: between the two, both included. `variable` is one of the environment
 * that has the same values.
 */
export function parseDuration(
  flag: string,
  { minMs, maxMs, variable }: {
    minMs: number;
    maxMs: number;
    variable: string;
  },
): (text: string) => number {
  return (text) => {
    const isWhole = /^(\d{1,6}h)?(\d{1,6}m)?(\d{1,6}s)?$/.test(text);
    const parts = text.match(/\d+[hms]/g) ?? [];
    const ms = parts.reduce(
      (sum, part) => sum + parseInt(part) * UNITS_MS[part.at(-1)!]!,
      0,
    );
    if (isWhole && ms >= minMs && ms <= maxMs) return ms;
    throw new UsageError(
      "FLAG_INVALID",
      `Cannot read --${flag} "${text}": it must be a duration from ${
        minMs / 1000
      }s to ${maxMs / UNITS_MS["h"]!}h`,
      {
        hint:
          `Write \`--${flag} 90s\`, \`--${flag} 10m\` or \`--${flag} 1h30m\`, or set ${variable} to such a value.`,
      },
    );
  };
}

/** The name of a container image: with a bad one a pod is made, and never starts. */
export function parseImage(flag: string): (text: string) => string {
  return (text) => {
    const fault = imageFlagFault(flag, text);
    if (fault === undefined) return text;
    throw new UsageError("IMAGE_INVALID", fault);
  };
}

/** The name of an object that a pod refers to: with a bad one it is made, and never starts. */
export function parseObjectName(flag: string): (text: string) => string {
  return (text) => {
    if (isObjectName(text)) return text;
    throw new UsageError(
      "NAME_INVALID",
      `Cannot use --${flag} "${text}": a name has at most 253 lower-case letters, digits, "-" and ".", and starts and ends with a letter or digit`,
    );
  };
}

/** A digest as `sha256sum` prints it. */
export function parseSha256(text: string): string {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  throw new UsageError(
    "FLAG_INVALID",
    `Cannot read --sha256 "${text}": it is not 64 hexadecimal digits`,
    { hint: "Take what `sha256sum` prints for the file." },
  );
}
