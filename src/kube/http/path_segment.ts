import { UsageError } from "../../core/errors.ts";

/**
 * A name as one part of a request's path. `.` and `..` pass `encodeURIComponent`, and every reader of
 * URLs takes them for this folder and the one above: a request for one object, or for one namespace,
 * would be one for all of them.
 *
 * @throws {UsageError} `NAME_INVALID`, for what the API server takes for no name either.
 */
export function pathSegment(name: string): string {
  if (name === "" || name === "." || name === ".." || /[/%]/.test(name)) {
    throw new UsageError("NAME_INVALID", `"${name}" is not a valid name`, {
      hint: 'A name cannot be empty, "." or "..", or contain "/" or "%".',
    });
  }
  return encodeURIComponent(name);
}
