/** What the API server's refusals mean to a user of ktctl. */
import type { CallSubject } from "./call_subject.ts";
import {
  ClusterError,
  ConflictError,
  type ErrorOptionsWithHint,
  type KtctlError,
  NotFoundError,
  PermissionError,
  UnsupportedError,
  WriteConflictError,
} from "../core/errors.ts";
import { ruleText } from "./refusals/denied_rule.ts";
import { policyDenial } from "./refusals/policy_denial.ts";
import { quotaRemedy } from "./refusals/quota_remedy.ts";

/** The API server's `Status` object, as far as we read it. */
export interface ApiStatus {
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: {
    readonly name?: string;
    readonly kind?: string;
    readonly causes?: readonly {
      readonly reason?: string;
      readonly field?: string;
      readonly message?: string;
    }[];
  };
}

/** An answer that was not a success. */
export interface ApiFailure {
  readonly code: number;
  /** The body as it came: a `Status` as JSON, or a proxy's words. */
  readonly body: string;
}

/** `Cannot create Pod "web" in namespace "shop"`. */
export function describeCall(subject: CallSubject): string {
  const { action, resource, name, namespace, path } = subject;
  if (resource === undefined) return `Cannot ${action} "${path ?? ""}"`;
  const object = name === undefined
    ? resource.plural
    : `${resource.kind} "${name}"`;
  const place = resource.namespaced && namespace
    ? ` in namespace "${namespace}"`
    : "";
  return `Cannot ${action} ${object}${place}`;
}

/**
 * The error for an answer of status 400 or above.
 *
 * @param fault What is known here to be wrong with our credentials.
 */
export function apiError(
  failure: ApiFailure,
  subject: CallSubject,
  fault?: string,
): KtctlError {
  const status = readStatus(failure);
  const message = sentence(status.message ?? failure.body) ||
    `the API server answered ${failure.code}`;
  const what = `${describeCall(subject)}: `;
  const denial = policyDenial(message, what, subject);
  if (denial !== undefined) return denial;
  switch (failure.code) {
    case 401:
      return new PermissionError(
        "UNAUTHORISED",
        `${what}the API server does not accept the credentials`,
        {
          hint: fault ??
            "Sign in again, or check the user of this kubeconfig context.",
          details: [message],
        },
      );
    case 403:
      return forbidden(status, message, { what, fault });
    case 404:
      return notFound(status, message, subject);
    case 409:
      return status.reason === "AlreadyExists"
        ? new ConflictError("ALREADY_EXISTS", `${what}it already exists`, {
          details: [message],
        })
        : new WriteConflictError("WRITE_CONFLICT", `${what}${message}`);
    case 410:
      return new ClusterError("RESOURCE_EXPIRED", `${what}${message}`);
    case 422:
      return new ClusterError("INVALID_OBJECT", `${what}${message}`, {
        details: causeLines(status),
      });
  }
  const [, webhook] = /failed calling webhook "([^"]+)"/.exec(message) ?? [];
  const code = isPassing(failure.code) ? "API_ERROR" : "API_REFUSED";
  return new ClusterError(code, what + message, {
    details: causeLines(status),
    ...(webhook === undefined ? {} : {
      hint:
        `Webhook "${webhook}" has to admit this object, but does not answer: tell the cluster's administrators.`,
    }),
  });
}

/** A fault of the server, or of what answers in its place; too slow a request, or too many of them. */
function isPassing(code: number): boolean {
  return code < 400 || code >= 500 || code === 408 || code === 429;
}

/** The `Status` in a body, or `{}` where there is none. */
export function readStatus({ body }: ApiFailure): ApiStatus {
  try {
    const status = JSON.parse(body);
    return status?.kind === "Status" ? readable(status) : {};
  } catch {
    return {};
  }
}

/** What is of another type than it should be is left out: something else may answer as the API server. */
function readable(
  { message, reason, code, details }: Record<keyof ApiStatus, unknown>,
): ApiStatus {
  const { name, kind, causes } = (details ?? {}) as Record<string, unknown>;
  return {
    ...texts({ message, reason }),
    ...(typeof code === "number" && { code }),
    ...(details !== undefined && details !== null && {
      details: {
        ...texts({ name, kind }),
        ...(Array.isArray(causes) && {
          causes: causes.map((cause) =>
            texts({
              reason: cause?.reason,
              field: cause?.field,
              message: cause?.message,
            })
          ),
        }),
      },
    }),
  };
}

function texts<K extends string>(
  fields: Record<K, unknown>,
): Partial<Record<K, string>> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => typeof value === "string"),
  ) as Partial<Record<K, string>>;
}

/** 403 has many reasons beside a missing rule; only its text tells them apart. */
function forbidden(
  status: ApiStatus,
  message: string,
  { what, fault }: { what: string; fault: string | undefined },
): KtctlError {
  if (/exceeded quota|failed quota/.test(message)) {
    return new ClusterError("QUOTA_EXCEEDED", what + message, {
      ...quotaHint(message),
    });
  }
  if (/(maximum|minimum) .*usage|max limit to request ratio/i.test(message)) {
    return new ClusterError("QUOTA_EXCEEDED", what + message, {
      hint: "Choose requests and limits inside the namespace's LimitRange.",
      remedies: [quotaRemedy(message)],
    });
  }
  const account = /service account (\S+)\/(\S+): .*not found/.exec(message);
  if (account !== null) {
    const [, namespace, name] = account;
    return new NotFoundError(
      "SERVICE_ACCOUNT_NOT_FOUND",
      `${what}there is no service account "${name}"`,
      {
        hint:
          `Create it: \`kubectl create serviceaccount ${name} -n ${namespace}\`.`,
        details: [message],
      },
    );
  }
  if (/being terminated/.test(message)) {
    return new ClusterError("NAMESPACE_TERMINATING", what + message);
  }
  const rule = missingRule(message);
  return new PermissionError("RBAC_FORBIDDEN", what + message, {
    hint: fault !== undefined
      ? fault
      : rule === undefined
      ? "Ask the cluster's administrators for this permission."
      : missingRuleHint(rule),
    details: causeLines(status),
  });
}

function quotaHint(message: string): ErrorOptionsWithHint {
  if (/must specify/.test(message)) {
    return {
      hint: "Give the Pod requests and limits.",
      remedies: [quotaRemedy(message)],
    };
  }
  const [, requested = ""] = /requested: (.*?), used: /.exec(message) ?? [];
  return /cpu=|memory=|ephemeral-storage=/.test(requested)
    ? {
      hint: "Request less, or ask for a larger ResourceQuota in the namespace.",
      remedies: [quotaRemedy(requested)],
    }
    : {
      hint:
        "Delete what nobody needs, or ask for a larger ResourceQuota in the namespace.",
    };
}

/**
 * The RBAC rule that a refusal asks for, on one line of YAML:
 * `apiGroups: [""], resources: ["pods"], verbs: ["create"]`.
 */
export function missingRule(message: string): string | undefined {
  const match = /cannot (\S+) resource "([^"]+)" in API group "([^"]*)"/.exec(
    message,
  );
  if (match === null) return undefined;
  const [, verb, resource, group] = match;
  // A WebSocket port-forward is a GET; newer API servers ask for `create` as well.
  const verbs = resource === "pods/portforward" ? ["get", "create"] : [verb];
  return ruleText({
    group: group!,
    resource: resource!,
    verbs: verbs as string[],
  });
}

/** What to give to whoever grants rights. */
export function missingRuleHint(rule: string): string {
  return `Missing rule: \`${rule}\`. For all rules of a command, see \`ktctl rbac <command>\`.`;
}

function notFound(
  status: ApiStatus,
  message: string,
  subject: CallSubject,
): KtctlError {
  const what = `${describeCall(subject)}: `;
  const { name, kind } = status.details ?? {};
  if (name === undefined) {
    return new UnsupportedError(
      "API_NOT_SERVED",
      `${what}this cluster does not serve ${
        subject.resource === undefined
          ? "it"
          : `${subject.resource.apiVersion} ${subject.resource.plural}`
      }`,
      { details: [message] },
    );
  }
  if (kind === "namespaces" && subject.resource?.plural !== "namespaces") {
    return new NotFoundError(
      "NAMESPACE_NOT_FOUND",
      `${what}there is no namespace "${name}"`,
    );
  }
  return new NotFoundError("NOT_FOUND", `${what}it does not exist`, {
    details: [message],
  });
}

function causeLines(status: ApiStatus): string[] {
  return (status.details?.causes ?? [])
    .filter((cause) => cause.message)
    .map((cause) =>
      cause.field ? `${cause.field}: ${cause.message}` : cause.message!
    );
}

/** Fits somebody else's words behind our colon: one line, no final period. */
function sentence(text: string): string {
  return text.trim().replace(/\s+/g, " ").slice(0, 1000).replace(/[.:]$/, "");
}
