/**
 * Where root helpers keep their journals: gone after a reboot, as are nearly all of their changes; but
 * on Windows, where both stay.
 */
import { forSystem, SYSTEM, type System } from "../core/system.ts";
import { rmdirSync } from "node:fs";
import { messageOf, PermissionError } from "../core/errors.ts";
import { FileJournal } from "../undo/journal.ts";
import { randomLower } from "../core/random_name.ts";
import { runPowershell } from "../net/run_powershell.ts";
import type { Machine } from "./operations/operation.ts";

export const HELPER_FOLDER = forSystem({
  linux: "/run/ktctl",
  darwin: "/var/run/ktctl",
  windows: `${Deno.env.get("ProgramData") ?? "C:\\ProgramData"}\\ktctl`,
});

/** Others see whether there is something to take back; what that is, and its lock, are root's alone. */
const FOLDER_MODE = 0o755;

/**
 * Makes the folder, in which nobody else may change anything.
 *
 * @throws {PermissionError} `JOURNAL_UNWRITABLE`.
 */
export async function prepareHelperFolder(
  folder: string,
  machine: Pick<Machine, "exec">,
  os: System = SYSTEM,
): Promise<void> {
  try {
    if (os === "windows") return await prepareWindowsFolder(folder, machine);
    for (let attempt = 1;; attempt++) {
      try {
        return makeFolder(folder);
      } catch (error) {
        if (!isTakenAway(error) || attempt === MAX_ATTEMPTS) throw error;
      }
    }
  } catch (error) {
    throw new PermissionError(
      "JOURNAL_UNWRITABLE",
      `Cannot record changes in "${folder}": ${messageOf(error)}`,
      {
        hint: "Without that record, the root helper changes nothing.",
        cause: error,
      },
    );
  }
}

function makeFolder(folder: string): void {
  Deno.mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
  const { isDirectory, uid } = Deno.lstatSync(folder);
  if (!isDirectory || uid !== Deno.uid()) {
    throw new PermissionError(
      "JOURNAL_UNWRITABLE",
      "It belongs to somebody else",
    );
  }
  Deno.chmodSync(folder, FOLDER_MODE);
}

/** As many helpers may end, one after the other, while one starts. */
const MAX_ATTEMPTS = 10;

/** Another helper has ended at this moment, and taken the folder away, in the midst of our call perhaps. */
function isTakenAway(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    error instanceof Deno.errors.AlreadyExists;
}

/**
 * Everybody may make folders beside it, so that whose it is tells whose the journals are; users may
 * read it, and know that there is nothing to take back.
 */
const WINDOWS_FOLDER_SCRIPT = `
$security = New-Object System.Security.AccessControl.DirectorySecurity
$security.SetSecurityDescriptorSddlForm(
  'O:BAD:P(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)(A;OICI;0x1200a9;;;BU)')
if (-not (Test-Path -LiteralPath $ask.folder)) {
  [IO.Directory]::CreateDirectory($ask.folder, $security) | Out-Null
}
$folder = Get-Item -LiteralPath $ask.folder -Force
$owner = (Get-Acl -LiteralPath $ask.folder).GetOwner([Security.Principal.SecurityIdentifier])
$me = [Security.Principal.WindowsIdentity]::GetCurrent().User
$isOurs = $owner.Value -in @('S-1-5-32-544', 'S-1-5-18', $me.Value)
$isLink = [bool]($folder.Attributes -band [IO.FileAttributes]::ReparsePoint)
if (-not $isOurs -or $isLink -or -not $folder.PSIsContainer) {
  throw "It belongs to somebody else"
}
Set-Acl -LiteralPath $ask.folder -AclObject $security
`;

async function prepareWindowsFolder(
  folder: string,
  machine: Pick<Machine, "exec">,
): Promise<void> {
  await runPowershell(machine, {
    purpose: "make the folder an administrator's",
    script: WINDOWS_FOLDER_SCRIPT,
    input: { folder },
  });
}

/** The record of this helper, locked until it is closed or the process ends. `folder` is prepared. */
export async function openHelperJournal(
  folder: string,
  machine: Pick<Machine, "exec">,
): Promise<FileJournal> {
  for (let attempt = 1;; attempt++) {
    try {
      return new FileJournal(folder, {
        type: "session",
        version: 1,
        session: `helper-${randomLower(8)}`,
        pid: Deno.pid,
        command: "root helper",
        kubeconfig: null,
        context: "",
        server: "",
        namespace: "",
        startedAt: Math.floor(Date.now() / 1000),
      }, { makesFolder: false, isFixed: true });
    } catch (error) {
      const isGone = error instanceof PermissionError &&
        isTakenAway(error.cause);
      if (!isGone || attempt === MAX_ATTEMPTS) throw error;
    }
    await prepareHelperFolder(folder, machine);
  }
}

/**
 * Takes the folder away where nothing is in it. Not on Windows, where another user could make it then
 * and would be in the way of the next helper.
 */
export function removeHelperFolder(
  folder: string,
  os: System = SYSTEM,
): void {
  if (os === "windows") return;
  try {
    rmdirSync(folder);
  } catch {
    // other records are in it, or it is gone; and an empty folder that stays is in nobody's way
  }
}
