import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, PermissionError } from "../../core/errors.ts";
import { readRegularFile } from "../../core/files/read_regular_file.ts";
import { writeWhole } from "../../core/files/write_whole.ts";
import { sha256 } from "../../plugins/sha256.ts";

/** A digest, two spaces and a path. */
const MAX_BYTES = 8 * 1024;

/** The files that the user trusts, each with the content that it had: one record a file, named by its path. */
export class TrustedFiles {
  readonly #dir: string;

  /** @param dir The folder of the records; there need not be one. */
  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Whether the user has trusted it, with whatever content. */
  async knows(file: string): Promise<boolean> {
    const record = await this.#record(file);
    const read = await readRegularFile(record, { maxBytes: MAX_BYTES });
    return read.fault === undefined;
  }

  async has(file: string, digest: string): Promise<boolean> {
    const read = await readRegularFile(await this.#record(file), {
      maxBytes: MAX_BYTES,
    });
    return read.fault === undefined &&
      new TextDecoder().decode(read.bytes) === recordText(file, digest);
  }

  /** Throws `PermissionError` (`CONFIG_UNWRITABLE`). */
  async add(file: string, digest: string): Promise<void> {
    await this.#writing(async () => {
      await mkdir(this.#dir, { recursive: true, mode: 0o700 });
      const bytes = new TextEncoder().encode(recordText(file, digest));
      await writeWhole(await this.#record(file), bytes);
    });
  }

  /** Throws `PermissionError` (`CONFIG_UNWRITABLE`). */
  async remove(file: string): Promise<void> {
    await this.#writing(async () =>
      await rm(await this.#record(file), { force: true })
    );
  }

  async #record(file: string): Promise<string> {
    return join(this.#dir, await sha256(new TextEncoder().encode(file)));
  }

  async #writing(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      throw new PermissionError(
        "CONFIG_UNWRITABLE",
        `Cannot write to "${this.#dir}": ${messageOf(error)}`,
        {
          hint: "Make it yours, or name another place for it by XDG_DATA_HOME.",
          cause: error,
        },
      );
    }
  }
}

function recordText(file: string, digest: string): string {
  return `${digest}  ${file}\n`;
}
