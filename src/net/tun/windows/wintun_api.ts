import { dlopenLibrary } from "../../dlopen_library.ts";

/** As wintun's own documentation has them, since version 0.14. Handles and addresses are numbers. */
const SYMBOLS = {
  WintunCreateAdapter: {
    parameters: ["buffer", "buffer", "buffer"],
    result: "usize",
  },
  WintunCloseAdapter: { parameters: ["usize"], result: "void" },
  WintunStartSession: { parameters: ["usize", "u32"], result: "usize" },
  WintunEndSession: { parameters: ["usize"], result: "void" },
  WintunGetReadWaitEvent: { parameters: ["usize"], result: "usize" },
  WintunReceivePacket: { parameters: ["usize", "buffer"], result: "usize" },
  WintunReleaseReceivePacket: {
    parameters: ["usize", "usize"],
    result: "void",
  },
  WintunAllocateSendPacket: { parameters: ["usize", "u32"], result: "usize" },
  WintunSendPacket: { parameters: ["usize", "usize"], result: "void" },
  // never called: older versions do not have it, whose WintunCreateAdapter is another one
  WintunDeleteDriver: { parameters: [], result: "i32" },
} as const;

type WintunApi = Deno.DynamicLibrary<typeof SYMBOLS>;
export type WintunCalls = WintunApi["symbols"];

/**
 * Loads wintun.dll, which changes nothing yet. Not verified on Windows.
 *
 * @param library Its path.
 * @throws {PermissionError} `FFI_NOT_ALLOWED`.
 * @throws {UnsupportedError} `WINTUN_UNUSABLE`: made for another processor, or too old.
 */
export function openWintunApi(library: string): WintunApi {
  return dlopenLibrary(library, SYMBOLS, {
    purpose: `load "${library}"`,
    unsupported: {
      code: "WINTUN_UNUSABLE",
      hint:
        "Get wintun 0.14 or newer, for this machine's processor, from https://www.wintun.net.",
    },
  });
}
