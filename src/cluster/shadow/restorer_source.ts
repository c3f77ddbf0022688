import { type PodProgram, programSource } from "./program_source.ts";

/** What the agent loads with `--restoreAfter`, when the time is over. */
export const RESTORER: PodProgram = {
  name: "restorer",
  entry: "src/cluster/restore/restorer.ts",
  folders: ["src/cluster/", "src/kube/", "src/link/", "src/undo/", "src/core/"],
  embedded: "__KTCTL_RESTORER__",
};

/** The restorer as one JavaScript file, see {@link programSource}. */
export function restorerSource(): Promise<string> {
  return programSource(RESTORER);
}
