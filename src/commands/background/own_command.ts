import { isCheckout, type OwnProgram } from "../../helper/helper_command.ts";

/** What is released has all in one file, and no configuration: none may be found where it happens to lie. */
const ALONE = ["--no-config", "--no-lock"];

/** How this program is started once more, by the same Deno, without its arguments. */
export function ownCommand(program: OwnProgram): string[] {
  const { execPath, mainModule, isStandalone } = program;
  if (isStandalone) return [execPath];
  const how = isCheckout(program) ? [] : [...ALONE, ...importMap(mainModule)];
  return [
    execPath,
    "run",
    "-A",
    "--quiet",
    "--cached-only",
    ...how,
    mainModule,
  ];
}

/** The sources by URL were started with theirs. */
function importMap(mainModule: string): string[] {
  if (!mainModule.endsWith(".ts")) return [];
  return [`--import-map=${new URL("deno.json", mainModule).href}`];
}
