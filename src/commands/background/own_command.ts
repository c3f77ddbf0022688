import { isCheckout, type OwnProgram } from "../../helper/helper_command.ts";

/** How this program is started once more, by the same Deno, without its arguments. */
export function ownCommand(program: OwnProgram): string[] {
  const { execPath, mainModule, isStandalone } = program;
  if (isStandalone) return [execPath];
  // what is released has all in one file, and no configuration: none may be found where it happens to lie
  const alone = isCheckout(program)
    ? ["--cached-only"]
    : ["--cached-only", "--no-config", "--no-lock"];
  return [execPath, "run", "-A", "--quiet", ...alone, mainModule];
}
