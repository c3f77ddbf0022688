import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { messageOf } from "../errors.ts";

/** A file's bytes, or why there are none. */
export type FileRead =
  | {
    readonly bytes: Uint8Array<ArrayBuffer>;
    /** Who owns it; 0 where the system has no such numbers. */
    readonly uid: number;
    readonly fault?: undefined;
  }
  /** `fault` goes behind "Cannot read …: "; `isMissing`: there is no such file. */
  | { readonly fault: string; readonly isMissing: boolean };

/** Elsewhere than on Windows: whoever opens a pipe or a device must not hang on it. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * Reads a file that anybody may have put there: a device, a pipe, and what is longer than `maxBytes`, are
 * refused before they are read. Symbolic links are followed.
 */
export async function readRegularFile(
  path: string,
  { maxBytes }: { maxBytes: number },
): Promise<FileRead> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, FLAGS);
    const stat = await file.stat();
    if (!stat.isFile()) {
      return { fault: "it is not a regular file", isMissing: false };
    }
    if (stat.size > maxBytes) return tooLong(maxBytes);
    // one more than it has, so that its end is seen
    const buffer = new Uint8Array(stat.size + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length);
      length += bytesRead;
      if (length > stat.size) return GREW;
      if (bytesRead === 0) {
        return { bytes: buffer.slice(0, length), uid: stat.uid };
      }
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const isMissing = code === "ENOENT" || code === "ENOTDIR";
    return { fault: FAULTS[code] ?? messageOf(error), isMissing };
  } finally {
    await file?.close();
  }
}

const GREW: FileRead = {
  fault: "it is being written",
  isMissing: false,
};

const FAULTS: Readonly<Record<string, string>> = {
  EACCES: "you have no right to read it",
  EISDIR: "it is not a regular file",
  ELOOP: "its symbolic links lead in a circle",
  ENOENT: "there is no such file",
  ENOTDIR: "there is no such file",
  ENXIO: "it is not a regular file",
  EPERM: "you have no right to read it",
};

function tooLong(maxBytes: number): FileRead {
  return { fault: `it is longer than ${maxBytes} bytes`, isMissing: false };
}
