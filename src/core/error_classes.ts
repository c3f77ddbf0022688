/** The classes of errors by their kind: for errors that come from elsewhere as data. */
import {
  Cancelled,
  CleanupError,
  ClusterError,
  ConflictError,
  DiagnosisError,
  type ErrorOptionsWithHint,
  type KtctlError,
  LinkError,
  NotFoundError,
  PermissionError,
  PluginError,
  UnsupportedError,
  UsageError,
  WriteConflictError,
} from "./errors.ts";

export type ErrorClass = new (
  code: string,
  message: string,
  options?: ErrorOptionsWithHint,
) => KtctlError;

/** All but {@link Cancelled}, which is no failure. */
export const ERROR_CLASSES: ReadonlyMap<string, ErrorClass> = new Map(
  [
    CleanupError,
    ClusterError,
    ConflictError,
    DiagnosisError,
    LinkError,
    NotFoundError,
    PermissionError,
    PluginError,
    UnsupportedError,
    UsageError,
    WriteConflictError,
  ].map((one) => [one.kind, one]),
);

export const CANCELLED_KIND = Cancelled.kind;
