import { closeSync, openSync } from "node:fs";
import { messageOf, UnsupportedError } from "../../core/errors.ts";
import { DARWIN_IOCTL, darwinIoctl } from "../darwin_ioctl.ts";
import { dlopenLibc } from "../dlopen_libc.ts";
import type { Destination } from "./original_destination.ts";
import {
  DIOCNATLOOK,
  packNatlook,
  type PfQuery,
  unpackNatlook,
} from "./pf_natlook.ts";

const SYMBOLS = { ioctl: DARWIN_IOCTL } as const;
const UNSUPPORTED = { code: "REDIRECT_UNSUPPORTED" };

/** What only root may ask macOS's pf. Not verified on a Mac. */
export class PfDevice implements Disposable {
  readonly #libc: Deno.DynamicLibrary<typeof SYMBOLS>;
  readonly #fd: number;

  /**
   * @throws {UnsupportedError} `REDIRECT_UNSUPPORTED`.
   * @throws {PermissionError} `FFI_NOT_ALLOWED`.
   */
  constructor() {
    const purpose = "learn where redirected connections want to go";
    this.#libc = dlopenLibc(SYMBOLS, { purpose, unsupported: UNSUPPORTED });
    try {
      this.#fd = openSync("/dev/pf", "r+");
    } catch (error) {
      this.#libc.close();
      throw new UnsupportedError(
        UNSUPPORTED.code,
        `Cannot ${purpose}: ${messageOf(error)}`,
        { cause: error },
      );
    }
  }

  /** Where a connection wanted to go; `undefined` for one that was not redirected. */
  destinationOf(query: PfQuery): Destination | undefined {
    const data = packNatlook(query);
    const { ioctl } = this.#libc.symbols;
    const code = darwinIoctl(ioctl, {
      fd: this.#fd,
      request: DIOCNATLOOK,
      data,
    });
    return code === 0 ? unpackNatlook(data) : undefined;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
    this.#libc.close();
  }
}
