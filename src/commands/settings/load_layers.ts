import { realpath, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { UsageError } from "../../core/errors.ts";
import { namedContent, refuseNames, withAbsolutePaths } from "./named_files.ts";
import { PROJECT_FILE } from "./project_file.ts";
import { readOriginal } from "./original_settings.ts";
import { readSettingsFile } from "./read_settings_file.ts";
import type { SettingLayer } from "./setting.ts";
import { TrustedFiles } from "./trusted_files.ts";

/** The user's own file of settings. */
export function userFile(configDir: string): string {
  return join(configDir, "config.yaml");
}

export interface SettingPlaces {
  /** Holds the user's own file; neither needs to be there. */
  readonly configDir: string;
  /** Where it is kept which projects' files the user trusts. */
  readonly trustDir: string;
  /** The user's home; `undefined` where nobody says. */
  readonly home: string | undefined;
}

export interface SettingLayers {
  /** The strongest first. */
  readonly layers: readonly SettingLayer[];
  /** To be told to the user, where the file of the original ktctl is used. */
  readonly note?: string;
  readonly project?: Project;
}

/** A project's file. */
export interface Project {
  /** Without symbolic links. */
  readonly file: string;
  /** Of it and of all that it names. Throws `UsageError` (`CONFIG_UNREADABLE`) where not all can be looked at. */
  digest(): Promise<string>;
}

/**
 * Reads all files of settings. The original's is read where the user has no file of ktctl's own.
 *
 * @throws {UsageError} `CONFIG_INVALID`, `CONFIG_UNREADABLE`
 */
export async function loadLayers(
  places: SettingPlaces,
): Promise<SettingLayers> {
  const project = await projectLayer(places);
  const file = userFile(places.configDir);
  const user = await readSettingsFile(file);
  const layers: SettingLayer[] = project === undefined ? [] : [project.layer];
  const rest = project && { project: project.project };
  if (user !== undefined) {
    layers.push({
      origin: "user",
      file,
      settings: withAbsolutePaths(user.settings, file),
      isTrusted: true,
      isForeign: false,
    });
    return { layers, ...rest };
  }
  const original = await readOriginal(places.home);
  if (original === undefined) return { layers, ...rest };
  layers.push(original.layer);
  const { note } = original;
  return { layers, ...(note !== undefined && { note }), ...rest };
}

async function projectLayer(
  { trustDir }: SettingPlaces,
): Promise<{ layer: SettingLayer; project: Project } | undefined> {
  const folder = workingFolder();
  const found = folder && await findUpwards(folder);
  if (!found) return undefined;
  const file = await realpath(found);
  const read = await readSettingsFile(file);
  if (read === undefined) return undefined;
  refuseNames(read.settings, file);
  const settings = withAbsolutePaths(read.settings, file);
  const look = () => namedContent({ text: read.text, settings });
  const trusted = new TrustedFiles(trustDir);
  // a stranger's file may name anything: that is opened only where the user has ever trusted this one
  const content = await trusted.knows(file) ? await look() : undefined;
  const layer: SettingLayer = {
    origin: "project",
    file,
    settings: content?.pinned ?? settings,
    isTrusted: content !== undefined && content.fault === undefined &&
      await trusted.has(file, content.digest),
    isForeign: !isOwn(read.uid),
  };
  const project: Project = {
    file,
    async digest() {
      const { digest, fault } = await look();
      if (fault === undefined) return digest;
      throw new UsageError(
        "CONFIG_UNREADABLE",
        `Cannot trust "${file}": it names ${fault}`,
        { hint: "Only what can be read whole can be trusted." },
      );
    },
  };
  return { layer, project };
}

/** `undefined` where somebody has deleted it meanwhile: there is no project then. */
function workingFolder(): string | undefined {
  try {
    return Deno.cwd();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** As deno.json is found: the nearest one. */
async function findUpwards(folder: string): Promise<string | undefined> {
  for (let at = folder;; at = dirname(at)) {
    const file = join(at, PROJECT_FILE);
    if (await exists(file)) return file;
    if (dirname(at) === at) return undefined;
  }
}

async function exists(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // a folder above may be closed to this user: its file is not meant for them
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EACCES") {
      return false;
    }
    if (code === "ELOOP") return true; // told when it is read
    throw error;
  }
}

/** This user's, root's, or that of who stands behind sudo. Windows has no such numbers. */
function isOwn(uid: number): boolean {
  const own = process.getuid?.();
  return own === undefined || uid === own || uid === 0 ||
    String(uid) === process.env.SUDO_UID;
}
