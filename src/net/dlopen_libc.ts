import {
  messageOf,
  PermissionError,
  UnsupportedError,
} from "../core/errors.ts";

/** macOS keeps its own in no file: the loader knows the name. */
const LIBRARY = Deno.build.os === "darwin"
  ? "/usr/lib/libSystem.B.dylib"
  : "libc.so.6";

/** What the system calls are wanted for. */
export interface LibcUse {
  /** As in "Cannot …". */
  readonly purpose: string;
  /** Where there is no libc of Linux or macOS. */
  readonly unsupported: { readonly code: string; readonly hint: string };
}

/**
 * The system calls that Deno does not have.
 *
 * @throws {PermissionError} `FFI_NOT_ALLOWED`.
 * @throws {UnsupportedError} as `use` has it.
 */
export function dlopenLibc<const S extends Deno.ForeignLibraryInterface>(
  symbols: S,
  { purpose, unsupported: { code, hint } }: LibcUse,
): Deno.DynamicLibrary<S> {
  try {
    return Deno.dlopen(LIBRARY, symbols);
  } catch (error) {
    const message = `Cannot ${purpose}: ${messageOf(error)}`;
    if (error instanceof Deno.errors.NotCapable) {
      throw new PermissionError("FFI_NOT_ALLOWED", message, {
        hint: "Run ktctl with --allow-ffi (or -A), or use --disableTunDevice.",
        cause: error,
      });
    }
    throw new UnsupportedError(code, message, { hint, cause: error });
  }
}
