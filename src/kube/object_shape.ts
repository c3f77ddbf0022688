/**
 * Whether an answer of status 200 is what was asked for. Something in front of the API server may answer
 * in its place, and what is read from a stranger's `{}` would be "there is nothing".
 */
import { ClusterError } from "../core/errors.ts";
import { describeCall } from "./api_errors.ts";
import type { CallSubject } from "./call_subject.ts";

/** @throws {ClusterError} `API_ERROR`, with the field that is wrong. */
export function refuseOddObject(
  answer: unknown,
  subject: CallSubject & { readonly server: string },
): void {
  const kind = isMap(answer) ? answer.kind : undefined;
  const wanted = subject.resource?.kind;
  const fault = kind !== undefined && kind !== wanted
    ? `has another kind than "${wanted}"`
    : objectFault(answer);
  if (fault !== undefined) throw oddAnswer(fault, subject);
}

/** @throws {ClusterError} `API_ERROR`, with the field that is wrong. */
export function refuseOddList(
  answer: unknown,
  subject: CallSubject & { readonly server: string },
): void {
  const fault = listFault(answer);
  if (fault !== undefined) throw oddAnswer(fault, subject);
}

/** @throws {ClusterError} `API_ERROR` for what is no object at all. */
export function refuseNoObject(
  answer: unknown,
  subject: CallSubject & { readonly server: string },
): void {
  if (!isMap(answer)) throw oddAnswer("is no object", subject);
}

function listFault(answer: unknown): string | undefined {
  if (!isMap(answer)) return "is no list";
  const { kind, items, metadata } = answer;
  const isList = typeof kind === "string" && kind.endsWith("List");
  if (kind !== undefined && !isList) return "is of another kind than a list";
  if (!Array.isArray(items)) {
    // an old server's empty list
    const isEmpty = isList && (items === null || items === undefined);
    return isEmpty ? undefined : 'has no list "items"';
  }
  if (!isMap(metadata ?? {})) return 'has a "metadata" of another type';
  for (const [index, item] of items.entries()) {
    const fault = objectFault(item);
    if (fault !== undefined) return `is odd: "items[${index}]" ${fault}`;
  }
  return undefined;
}

function objectFault(object: unknown): string | undefined {
  if (!isMap(object)) return "is no object";
  const { metadata } = object;
  if (!isMap(metadata) || typeof metadata.name !== "string") {
    return 'has no "metadata.name"';
  }
  for (const field of ["labels", "annotations"]) {
    const texts = metadata[field] ?? {};
    if (!isMap(texts) || !Object.values(texts).every(isText)) {
      return `has a "metadata.${field}" of another type`;
    }
  }
  const odd = ["spec", "status"].find((field) => !isMap(object[field] ?? {}));
  return odd === undefined ? undefined : `has a "${odd}" of another type`;
}

function oddAnswer(
  fault: string,
  { server, ...subject }: CallSubject & { readonly server: string },
): ClusterError {
  return new ClusterError(
    "API_ERROR",
    `${describeCall(subject)}: the answer of "${server}" ${fault}`,
    {
      hint:
        "Something between here and the API server may answer in its place.",
    },
  );
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const isText = (value: unknown) => typeof value === "string";
