import { dlopenLibrary } from "../../dlopen_library.ts";

/** Handles and addresses are numbers here, so that another thread can be given them. */
const SYMBOLS = {
  CreateEventW: {
    parameters: ["usize", "i32", "i32", "usize"],
    result: "usize",
  },
  SetEvent: { parameters: ["usize"], result: "i32" },
  CloseHandle: { parameters: ["usize"], result: "i32" },
  WaitForMultipleObjects: {
    parameters: ["u32", "buffer", "i32", "u32"],
    result: "u32",
  },
  GetLastError: { parameters: [], result: "u32" },
  copyIn: {
    name: "RtlMoveMemory",
    parameters: ["buffer", "usize", "usize"],
    result: "void",
  },
  copyOut: {
    name: "RtlMoveMemory",
    parameters: ["usize", "buffer", "usize"],
    result: "void",
  },
} as const;

type WindowsApi = Deno.DynamicLibrary<typeof SYMBOLS>;
export type WindowsCalls = WindowsApi["symbols"];

/**
 * What of Windows' own API it takes to carry packets. Not verified on Windows.
 *
 * @throws {PermissionError} `FFI_NOT_ALLOWED`.
 * @throws {UnsupportedError} `TUN_UNSUPPORTED`.
 */
export function openWindowsApi(): WindowsApi {
  return dlopenLibrary("kernel32.dll", SYMBOLS, {
    purpose: "use a network device",
    unsupported: { code: "TUN_UNSUPPORTED" },
  });
}
