/** What names, labels and numbers in a cluster look like: for schemas of what others wrote there. */
import * as v from "valibot";
import { MAX_OBJECT_NAME, SUBDOMAIN } from "./is_object_name.ts";

const LABEL_NAME = /^[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?$/;
/** As the API server takes; more would be a burden only. */
const MAX_LABELS = 256;

/** A Service's, Pod's, ConfigMap's. */
export const objectName = v.pipe(
  v.string(),
  v.maxLength(MAX_OBJECT_NAME),
  v.regex(SUBDOMAIN),
);

export const labelValue = v.pipe(
  v.string(),
  v.check((text) => isLabelValue(text)),
);

/** Also a selector. Not by a record's schema, which would leave out a label named "constructor". */
export const labels = v.custom<Record<string, string>>(isLabels);

/** The id of a session, in which old ones had a pod's random label. */
export const sessionId = v.pipe(v.string(), v.regex(LABEL_NAME));

export const port = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(1),
  v.maxValue(65_535),
);

/** Until the year 5138: a Date can hold it. */
export const unixSeconds = v.pipe(
  v.number(),
  v.finite(),
  v.minValue(0),
  v.maxValue(99_999_999_999),
);

export const replicaCount = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(0),
  v.maxValue(2 ** 31 - 1),
);

export const ipAddress = v.pipe(v.string(), v.maxLength(45), v.ip());

/** A time as `toISOString` writes it. */
export const timestamp = v.pipe(
  v.string(),
  v.maxLength(40),
  v.isoTimestamp(),
  v.check((text) => Number.isFinite(Date.parse(text))),
);

/** For people to read, such as a user's name: on one line, whatever was written. */
export const plainText = v.pipe(
  v.string(),
  v.transform((text) =>
    text.slice(0, 128).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, " ")
  ),
);

export function isLabels(value: unknown): value is Record<string, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return false;
  }
  const entries = Object.entries(value);
  return entries.length <= MAX_LABELS &&
    entries.every(([key, item]) => isLabelKey(key) && isLabelValue(item));
}

function isLabelKey(key: string): boolean {
  const [name = "", prefix, ...more] = key.split("/").reverse();
  return more.length === 0 && LABEL_NAME.test(name) &&
    (prefix === undefined || prefix.length <= 253 && SUBDOMAIN.test(prefix));
}

function isLabelValue(value: unknown): boolean {
  return value === "" || typeof value === "string" && LABEL_NAME.test(value);
}

/** A whole number as annotations hold it; undefined where it is none. */
export function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,11}$/.test(text)
    ? Number(text)
    : undefined;
}
