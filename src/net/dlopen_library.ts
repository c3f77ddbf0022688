import {
  messageOf,
  PermissionError,
  UnsupportedError,
} from "../core/errors.ts";

/** What a library of the system's is wanted for. */
export interface LibraryUse {
  /** As in "Cannot …". */
  readonly purpose: string;
  /** Where there is no such library. */
  readonly unsupported: { readonly code: string; readonly hint?: string };
}

/**
 * Functions of a library that Deno does not have.
 *
 * @throws {PermissionError} `FFI_NOT_ALLOWED`.
 * @throws {UnsupportedError} as `use` has it.
 */
export function dlopenLibrary<const S extends Deno.ForeignLibraryInterface>(
  library: string,
  symbols: S,
  { purpose, unsupported: { code, hint } }: LibraryUse,
): Deno.DynamicLibrary<S> {
  try {
    return Deno.dlopen(library, symbols);
  } catch (error) {
    const message = `Cannot ${purpose}: ${messageOf(error)}`;
    if (error instanceof Deno.errors.NotCapable) {
      throw new PermissionError("FFI_NOT_ALLOWED", message, {
        hint: "Run ktctl with --allow-ffi (or -A).",
        cause: error,
      });
    }
    throw new UnsupportedError(code, message, {
      ...(hint === undefined ? {} : { hint }),
      cause: error,
    });
  }
}
