/**
 * The one family of errors that ktctl raises on purpose. The class says which kind of thing went
 * wrong and fixes the exit code; `code` names the exact condition for scripts and tests.
 */

/**
 * A way out of an error that an option of the caller's gives: the command line has a flag for each, the
 * caller of a library something else.
 */
export type Remedy =
  | "annotations"
  | "image"
  | "image-pull-secret"
  | "labels"
  | "more-time"
  | "node-selector"
  | "pod-quota"
  | "pod-quota-storage"
  | "router-image"
  | "service-account"
  | "tolerations";

/** Extra facts an error carries beside its message. */
export interface ErrorOptionsWithHint {
  /** What the user can do next, as a full sentence. */
  hint?: string;
  /** Options of the caller's that would help. The command line names its flags for them. */
  remedies?: readonly Remedy[];
  /** Lines shown below the message: pod events, leftovers, candidates. */
  details?: readonly string[];
  /** The error that led to this one. */
  cause?: unknown;
}

/** The property by which any copy of these classes, such as one in a plugin, knows an error's kind. */
export const ERROR_KIND = Symbol.for("ktctl.error");

/**
 * Base of all expected errors. Never thrown itself. `instanceof` goes by the kind, as a plugin may
 * carry a copy of these classes.
 */
export abstract class KtctlError extends Error {
  /** Of a subclass, `/` behind that of the class that it extends. */
  static readonly kind: string = "";

  static override [Symbol.hasInstance](value: unknown): boolean {
    const kind = errorKind(value);
    if (kind === undefined || this === KtctlError) return kind !== undefined;
    return kind === this.kind || kind.startsWith(`${this.kind}/`);
  }

  /** The process exit code for this class of error. */
  abstract readonly exitCode: number;
  /** Stable upper-case name of the condition, e.g. `SERVICE_NOT_FOUND`. */
  readonly code: string;
  readonly hint: string | undefined;
  readonly remedies: readonly Remedy[];
  readonly details: readonly string[];

  constructor(
    code: string,
    message: string,
    options: ErrorOptionsWithHint = {},
  ) {
    super(
      message,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = new.target.name;
    this.code = code;
    this.hint = options.hint;
    this.remedies = options.remedies ?? [];
    this.details = options.details ?? [];
  }

  get [ERROR_KIND](): string {
    return (this.constructor as typeof KtctlError).kind;
  }
}

function errorKind(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const kind = (value as { [ERROR_KIND]?: unknown })[ERROR_KIND];
  return typeof kind === "string" ? kind : undefined;
}

/** Flags, arguments or configuration that cannot be used. Nothing was changed. */
export class UsageError extends KtctlError {
  static override readonly kind: string = "usage";
  override readonly exitCode = 2;
}

/** This platform, cluster or Service cannot do what was asked. Nothing was changed. */
export class UnsupportedError extends KtctlError {
  static override readonly kind: string = "unsupported";
  override readonly exitCode = 3;
}

/** Root, a Deno permission or a Kubernetes RBAC rule is missing. */
export class PermissionError extends KtctlError {
  static override readonly kind: string = "permission";
  override readonly exitCode = 4;
}

/** The API server, or the state of an object in the cluster. */
export class ClusterError extends KtctlError {
  static override readonly kind: string = "cluster";
  override readonly exitCode = 5;
}

/** The object asked for does not exist. */
export class NotFoundError extends ClusterError {
  static override readonly kind = "cluster/not-found";
}

/** The object was changed by somebody else between reading and writing it. */
export class WriteConflictError extends ClusterError {
  static override readonly kind = "cluster/write-conflict";
}

/** The port-forward or the SSH connection to the Shadow Pod. */
export class LinkError extends KtctlError {
  static override readonly kind: string = "link";
  override readonly exitCode = 6;
}

/** Somebody else holds what was asked for. */
export class ConflictError extends KtctlError {
  static override readonly kind: string = "conflict";
  override readonly exitCode = 7;
}

/** A plugin threw, hung, or was refused at load. */
export class PluginError extends KtctlError {
  static override readonly kind: string = "plugin";
  override readonly exitCode = 8;
}

/** Something was left behind; `details` names each leftover and the command that removes it. */
export class CleanupError extends KtctlError {
  static override readonly kind: string = "cleanup";
  override readonly exitCode = 9;
}

/** What was looked at is not as it has to be. Nothing was changed. */
export class DiagnosisError extends KtctlError {
  static override readonly kind: string = "diagnosis";
  override readonly exitCode = 10;
}

/** The user or a signal asked to stop. Not printed as an error. */
export class Cancelled extends KtctlError {
  static override readonly kind: string = "cancelled";
  override readonly exitCode = 130;
  constructor(reason = "cancelled") {
    super("CANCELLED", reason);
  }
}

/** Exit code of anything that is not a {@link KtctlError}: a defect of ktctl. */
export const INTERNAL_EXIT_CODE = 70;

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
