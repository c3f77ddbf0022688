import {
  type PodProgram,
  programSource,
  type ProgramSourceOptions,
} from "./program_source.ts";

/** The program of every Shadow Pod. Its global is set at the top of `dist/ktctl.js` by scripts/bundle.ts. */
export const AGENT: PodProgram = {
  name: "agent",
  entry: "src/link/agent/agent.ts",
  folders: ["src/link/", "src/core/"],
  embedded: "__KTCTL_AGENT__",
};

/** The agent as one JavaScript file, see {@link programSource}. */
export function agentSource(
  options: ProgramSourceOptions = {},
): Promise<string> {
  return programSource(AGENT, options);
}
