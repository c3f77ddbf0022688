/** Where wintun.dll may lie. */
import { statSync } from "node:fs";
import { win32 } from "node:path";
import { fileURLToPath } from "node:url";
import { UnsupportedError } from "../../../core/errors.ts";

export interface WintunPlaces {
  /** Where this program is: its own file, or Deno and the script. */
  readonly programFolders: readonly string[];
  readonly systemRoot: string;
}

/**
 * Its paths, the best first: beside the program, and where Windows has its own libraries. Neither
 * in the current folder nor on the PATH, where others may put files: it runs with an
 * administrator's rights.
 */
export function wintunPaths(
  { programFolders, systemRoot }: WintunPlaces,
): string[] {
  const folders = [...programFolders, win32.join(systemRoot, "System32")];
  return [
    ...new Set(
      folders.filter((folder) => /^([a-z]:[\\/]|\\\\)/i.test(folder))
        .map((folder) => win32.join(folder, "wintun.dll")),
    ),
  ];
}

/**
 * The path of wintun.dll. Not verified on Windows.
 *
 * @throws {UnsupportedError} `WINTUN_MISSING`.
 */
export function findWintun(): string {
  const programFolders = [Deno.execPath(), mainFile()]
    .filter((file) => file !== undefined).map((file) => win32.dirname(file));
  const found = wintunPaths({
    programFolders,
    systemRoot: Deno.env.get("SystemRoot") ?? "C:\\Windows",
  }).find(isFile);
  if (found !== undefined) return found;
  throw new UnsupportedError(
    "WINTUN_MISSING",
    "Cannot make a network device on Windows without wintun.dll, which is not there",
    {
      hint:
        `Get it, for this machine's processor, from https://www.wintun.net, and put it into "${
          programFolders[0]
        }".`,
    },
  );
}

function mainFile(): string | undefined {
  return Deno.mainModule.startsWith("file:")
    ? fileURLToPath(Deno.mainModule)
    : undefined;
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false; // nor would Windows find it
  }
}
