// A user of a test's machine, who is not root and has what runs ktctl in /mnt, a tmpfs of the
// machine's own: the home of whoever runs the tests may be root's alone.
import { fileURLToPath } from "node:url";
import { run, succeeded } from "../cluster/command.ts";
import { denoDir } from "../deno_dir.ts";
import {
  PROGRAM_FOLDER,
  type ProgramPlace,
} from "../cluster/tested_program.ts";

export const UID = 61_234;
export const HOME = "/mnt/home";
export const DENO = "/mnt/deno";
export const CHECKOUT = "/mnt/ktctl";
/** Opened through sudo by this user's password. */
export const PASSWORD = "sesame";

/** Where the user has ktctl. */
export const PLACE: ProgramPlace = {
  deno: DENO,
  checkout: CHECKOUT,
  folder: `${HOME}/program`,
};

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Words that run a program as the user; more settings may follow. */
export const asUser: readonly string[] = [
  "setpriv",
  `--reuid=${UID}`,
  `--regid=${UID}`,
  "--clear-groups",
  "env",
  `HOME=${HOME}`,
  `DENO_DIR=${HOME}/.cache/deno`,
];

/** Makes the user, who may not use sudo. For root's shell, with an /etc of its own. */
export async function userScript(): Promise<string[]> {
  const cache = await denoDir();
  const hash = succeeded(await run("openssl", ["passwd", "-6", PASSWORD]));
  return [
    `echo 'tester:x:${UID}:${UID}::${HOME}:/bin/sh' >> /etc/passwd`,
    `echo 'tester:x:${UID}:' >> /etc/group`,
    `echo 'tester:${hash.trim()}:19000:0:99999:7:::' >> /etc/shadow`,
    `touch ${DENO}`,
    `mount --bind ${Deno.execPath()} ${DENO}`,
    `mkdir -p ${CHECKOUT} ${HOME}/.cache/deno/npm ${HOME}/.cache/deno/dl`,
    `mount --bind ${root} ${CHECKOUT}`,
    `cp -R ${PROGRAM_FOLDER} ${PLACE.folder}`,
    `chown -R ${UID}:${UID} ${HOME}`,
    `mount --bind ${cache}/npm ${HOME}/.cache/deno/npm`,
    // what `deno bundle` needs
    `if [ -d ${cache}/dl ]; then mount --bind ${cache}/dl ${HOME}/.cache/deno/dl; fi`,
    "chmod 755 /mnt",
  ];
}

/**
 * Lets the user use sudo.
 *
 * @param rules "NOPASSWD: ALL", or "ALL" for the password.
 */
export function sudoScript(
  rules: string,
  defaults = "use_pty", // as Debian has it
): string[] {
  const file = "/etc/sudoers.d/tester";
  return [
    `echo 'tester ALL=(root) ${rules}' > ${file}`,
    `echo 'Defaults ${defaults}' >> ${file}`,
    `chmod 440 ${file}`,
  ];
}

/** Words that print what in the user's home is not the user's. */
export const foreignFilesWords: readonly string[] = [
  ...["find", HOME, "-path", `${HOME}/.cache/deno/npm`, "-prune"], // mounts
  ...["-o", "-path", `${HOME}/.cache/deno/dl`, "-prune"],
  ...["-o", "!", "-uid", `${UID}`, "-print"],
];
