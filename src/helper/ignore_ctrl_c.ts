import { dlopenLibrary } from "../net/dlopen_library.ts";

/**
 * Ctrl-C, which a Windows console sends to all of its programs, does nothing to this one any more, nor
 * to those that it starts from now on: they inherit it. Not verified on Windows.
 *
 * @throws {PermissionError} `FFI_NOT_ALLOWED`.
 * @throws {UnsupportedError} `CONSOLE_UNUSABLE`.
 */
export function ignoreCtrlC(): void {
  const kernel = dlopenLibrary("kernel32.dll", {
    SetConsoleCtrlHandler: { parameters: ["usize", "i32"], result: "i32" },
  }, {
    purpose: "keep Ctrl-C from the root helper",
    unsupported: { code: "CONSOLE_UNUSABLE" },
  });
  // without a handler of its own, and to be ignored
  kernel.symbols.SetConsoleCtrlHandler(0n, 1);
  kernel.close();
}
