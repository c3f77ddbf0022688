import { dlopenLibrary } from "../net/dlopen_library.ts";

/**
 * Whether this process has an administrator's rights on Windows: not the user, who may have them and
 * not use them here. Not verified on Windows.
 *
 * @throws {PermissionError} `FFI_NOT_ALLOWED`.
 * @throws {UnsupportedError} `RIGHTS_UNKNOWN`.
 */
export function isElevated(): boolean {
  const shell = dlopenLibrary("shell32.dll", {
    IsUserAnAdmin: { parameters: [], result: "i32" },
  }, {
    purpose: "find out whether this is run as administrator",
    unsupported: { code: "RIGHTS_UNKNOWN" },
  });
  try {
    return shell.symbols.IsUserAnAdmin() !== 0;
  } finally {
    shell.close();
  }
}
