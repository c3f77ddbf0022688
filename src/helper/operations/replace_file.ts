import { forSystem, SYSTEM } from "../../core/system.ts";
import {
  closeSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { messageOf, PermissionError } from "../../core/errors.ts";

/** Where a file lies that others mount over, a rename does not go. */
const NO_RENAME = new Set(["EBUSY", "EXDEV", "EPERM", "EROFS"]);

/** The bytes of a file as Latin-1, which takes any of them; `undefined` where there is none. */
export function readFileExact(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw cannot("read", path, error);
  }
}

/**
 * Writes a file so that others see the old content or the new one, never half of it. Mode and owner
 * stay; a symbolic link stays one, and what it leads to is written. A file that is a mount of its
 * own, as in containers, can only be written in place; and so it is on Windows, where a new file
 * would not have the rights of the old one, and what another program has open cannot be replaced.
 *
 * By hand: write-file-atomic only renames.
 *
 * @param content Latin-1, as {@link readFileExact} gives it.
 * @throws {PermissionError} `FILE_NOT_WRITTEN`.
 */
export function replaceFile(path: string, content: string): void {
  try {
    const target = isLink(path) ? realpathSync(path) : path;
    if (SYSTEM === "windows") return writeInPlace(target, content);
    const { mode, uid, gid } = statIfThere(target) ??
      { mode: 0o644, uid: 0, gid: 0 };
    const bytes = bytesOf(content);
    // one name, so that a crash leaves no more than one of them
    const temporary = join(dirname(target), `.${basename(target)}.ktctl`);
    try {
      rmSync(temporary, { force: true });
      writeAll(openSync(temporary, "wx", 0o600), bytes, (fd) => {
        fchownSync(fd, uid, gid);
        fchmodSync(fd, mode & 0o7777);
      });
      renameSync(temporary, target);
    } catch (error) {
      rmSync(temporary, { force: true });
      if (!NO_RENAME.has(codeOf(error) ?? "")) throw error;
      writeInPlace(target, content);
    }
  } catch (error) {
    throw cannot("write", path, error);
  }
}

/** The file is cut to its new length last: it is never empty meanwhile. */
export function writeInPlace(path: string, content: string): void {
  const bytes = bytesOf(content);
  // "w" would refuse a hidden file of Windows, and empties the others first
  const fd = openSync(path, existsSync(path) ? "r+" : "w");
  writeAll(fd, bytes, () => {}, () => ftruncateSync(fd, bytes.length));
}

/** Deletes a file that may be gone already. */
export function removeFile(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    throw cannot("delete", path, error);
  }
}

function writeAll(
  fd: number,
  bytes: Uint8Array,
  prepare: (fd: number) => void = () => {},
  finish: () => void = () => {},
): void {
  try {
    prepare(fd);
    let written = 0;
    while (written < bytes.length) {
      written += writeSync(fd, bytes, written, bytes.length - written);
    }
    finish();
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function bytesOf(content: string): Uint8Array {
  return Uint8Array.from(content, (char) => char.charCodeAt(0));
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}

function statIfThere(
  path: string,
): { mode: number; uid: number; gid: number } | undefined {
  try {
    return statSync(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as { code?: string }).code;
}

function cannot(what: string, path: string, error: unknown): PermissionError {
  return new PermissionError(
    what === "read" ? "FILE_NOT_READ" : "FILE_NOT_WRITTEN",
    `Cannot ${what} "${path}": ${messageOf(error)}`,
    {
      hint: forSystem({
        linux:
          "Is the file system mounted read-only, or the file immutable (lsattr)?",
        windows:
          "Is it read-only, or does another program, such as a virus scanner, keep it open?",
      }),
      cause: error,
    },
  );
}
