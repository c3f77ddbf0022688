/** The mark by which a request, or a pod, belongs to one developer: `--versionMark`. */
import { UsageError } from "../../core/errors.ts";
import { fittedName } from "../../kube/fitted_name.ts";
import { randomLower } from "../../core/random_name.ts";

/** Header name and value in mode `auto`, label name and value in mode `manual`. */
export type MeshMark = {
  /** Lower case. */
  readonly key: string;
  readonly value: string;
};

const DEFAULT_KEY = "version";
/** What may stand in a header's name and in a label's name alike. */
const KEY = /^[a-z0-9]([-a-z0-9_]{0,61}[a-z0-9])?$/i;
/** What may stand in a label's value and, with `-` for each dot, in a Service's name. */
const VALUE = /^[a-z0-9]([-.a-z0-9]{0,61}[a-z0-9])?$/;
/** A value here would change what the request means, or never reach a rule as it was sent. */
const RESERVED = new Set([
  "authorization",
  "connection",
  "content-length",
  "content-type",
  "cookie",
  "host",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Reads `demo` (`version:demo`), `kt-mark:` (a random value), `kt-mark:demo`, or nothing
 * (`version:` and a random value). Throws `UsageError` (`MARK_INVALID`).
 */
export function parseMark(text = ""): MeshMark {
  const at = text.indexOf(":");
  const key = (at === -1 ? DEFAULT_KEY : text.slice(0, at)).toLowerCase();
  const value = text.slice(at + 1);
  if (!KEY.test(key)) {
    throw invalid(
      text,
      `"${key}" cannot be the name of a header and of a label`,
      'Use letters, digits, "-" and "_", 63 at most, with a letter or digit at both ends.',
    );
  }
  if (RESERVED.has(key)) {
    throw invalid(
      text,
      `the header "${key}" has a meaning of its own`,
      'Use a name that nothing else uses, such as "version" or "kt-mark".',
    );
  }
  if (value !== "" && !VALUE.test(value)) {
    throw invalid(
      text,
      `"${value}" cannot be the value of a label and part of a Service's name`,
      'Use lower-case letters, digits, "-" and ".", 63 at most, with a letter or digit at both ends.',
    );
  }
  return { key, value: value === "" ? randomLower(5) : value };
}

/** Whether somebody's record holds what {@link parseMark} would have made. */
export function isMeshMark({ key, value }: MeshMark): boolean {
  return KEY.test(key) && key === key.toLowerCase() && !RESERVED.has(key) &&
    VALUE.test(value);
}

/** As a request carries it. */
export function markText({ key, value }: MeshMark): string {
  return `${key}: ${value}`;
}

/** The longest mark that a shortened name has in it as it is. */
const MAX_MARK_LENGTH = 24;

/**
 * The name of a developer's Shadow Pod, and of the Service in front of it: `<service>-kt-mesh-<mark>`
 * where that fits.
 */
export function meshName(service: string, { value }: MeshMark): string {
  const mark = value.replaceAll(".", "-");
  const whole = `${service}-kt-mesh-${mark}`;
  return fittedName(whole, "") === whole
    ? whole
    : fittedName(service, `-kt-mesh-${fittedName(mark, "", MAX_MARK_LENGTH)}`);
}

/** `kt-config` of that pod: the Service that it is for is said where its name no longer tells it. */
export function meshConfig(service: string, mark: MeshMark): string {
  const name = meshName(service, mark);
  return name.startsWith(`${service}-kt-mesh-`)
    ? `service=${name}`
    : `service=${name},${MESHED}=${service}`;
}

/** In `kt-config` of a mesh's Shadow Pod: the Service that it is for. */
export const MESHED = "meshed";

function invalid(text: string, reason: string, hint: string): UsageError {
  return new UsageError(
    "MARK_INVALID",
    `Cannot read the mark "${text}": ${reason}`,
    { hint },
  );
}
