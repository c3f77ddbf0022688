import { forSystem } from "../core/system.ts";
import { dlopenLibrary, type LibraryUse } from "./dlopen_library.ts";

/** macOS keeps its own in no file: the loader knows the name. */
const LIBRARY = forSystem({
  linux: "libc.so.6",
  darwin: "/usr/lib/libSystem.B.dylib",
});

/**
 * The system calls that Deno does not have.
 *
 * @throws {PermissionError} `FFI_NOT_ALLOWED`.
 * @throws {UnsupportedError} as `use` has it, where there is no libc of Linux or macOS.
 */
export function dlopenLibc<const S extends Deno.ForeignLibraryInterface>(
  symbols: S,
  use: LibraryUse,
): Deno.DynamicLibrary<S> {
  return dlopenLibrary(LIBRARY, symbols, use);
}
