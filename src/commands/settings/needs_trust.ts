/**
 * What the file of a project may say without its user's word: somebody else may have written it, and to clone a
 * repository is not to trust it. The list names what is harmless, so that a flag that comes later is not by
 * accident. What is harmless runs no code of others on the laptop or in the cluster, sends no traffic, names or
 * credentials elsewhere, opens nothing on this machine, takes no rights, and ends nobody else's session.
 */
const HARMLESS: Readonly<Record<string, readonly string[]>> = {
  global: [
    "debug",
    "forceUpdate",
    "link",
    "namespace",
    "output",
    "podCreationTimeout",
    "podQuota",
    "portForwardTimeout",
    "useShadowDeployment",
  ],
  connect: ["disablePodIp", "dnsCacheTtl", "dryRun", "mode", "skipCleanup"],
  // with --expose, the user sees the port when the command is ready; modes are built in or the user's own
  exchange: [
    "dryRun",
    "expose",
    "mode",
    "recoverWaitTime",
    "skipPortChecking",
    "takeAgain",
  ],
  mesh: [
    "dryRun",
    "expose",
    "mode",
    "skipPortChecking",
    "takeAgain",
    "versionMark",
  ],
  preview: ["dryRun", "expose", "mode", "skipPortChecking", "takeAgain"],
  forward: ["dryRun"],
  recover: ["dryRun"],
  clean: ["dryRun", "localOnly"],
};

export function needsTrust({ group, name }: {
  readonly group: string;
  readonly name: string;
}): boolean {
  const harmless = Object.hasOwn(HARMLESS, group) ? HARMLESS[group]! : [];
  return !harmless.includes(name);
}
