/** Errors of a plan: those that the server would have, and of what only it could carry out. */
import {
  ConflictError,
  NotFoundError,
  UnsupportedError,
} from "../../core/errors.ts";
import { describeCall } from "../api_errors.ts";
import type { ObjectRef, Resource } from "../kube_api.ts";

export function notThere(
  action: string,
  { resource, name, namespace }: ObjectRef,
): NotFoundError {
  const what = describeCall({ action, resource, name, namespace });
  return new NotFoundError("NOT_FOUND", `${what}: it does not exist`);
}

export function thereAlready(resource: Resource, name: string): ConflictError {
  const what = describeCall({ action: "create", resource, name });
  return new ConflictError("ALREADY_EXISTS", `${what}: it already exists`);
}

export function notPlannable({ resource, name }: ObjectRef): UnsupportedError {
  return new UnsupportedError(
    "NOT_IN_DRY_RUN",
    `Cannot plan this change of ${resource.kind} "${name}": only the server can carry it out`,
  );
}
