import { counted } from "../../core/counted.ts";
import { UsageError } from "../../core/errors.ts";

/** The longest name of a Service, and of a label's value. */
const MAX_LENGTH = 63;
const DNS_LABEL = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

/** Throws `UsageError` (`NAME_TOO_LONG`) where a name that we must make is over the limit. */
export function refuseLongName(kind: string, name: string): void {
  if (name.length <= MAX_LENGTH) return;
  throw new UsageError(
    "NAME_TOO_LONG",
    `Cannot make ${kind} "${name}": its name has ${name.length} characters, ${MAX_LENGTH} are allowed`,
    {
      hint: `Take a name that is ${
        counted(name.length - MAX_LENGTH, "character")
      } shorter.`,
    },
  );
}

/** Throws `UsageError` (`NAME_INVALID`, `NAME_TOO_LONG`) where a Service cannot be called so. */
export function refuseBadServiceName(name: string): void {
  refuseLongName("Service", name);
  if (DNS_LABEL.test(name)) return;
  throw new UsageError("NAME_INVALID", `Cannot name a Service "${name}"`, {
    hint: 'Use lower-case letters, digits and "-", starting with a letter.',
  });
}
