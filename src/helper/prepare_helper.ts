import {
  type HelperCommand,
  helperCommand,
  isCheckout,
  isPiped,
  type OwnProgram,
} from "./helper_command.ts";
import { helperText } from "./helper_text.ts";

/**
 * All that has to be done as the user before root can run the helper.
 *
 * @throws {UnsupportedError} `BUNDLE_FAILED`.
 */
export async function prepareHelper(
  program: OwnProgram,
  signal: AbortSignal,
): Promise<HelperCommand> {
  if (isPiped(program)) return helperCommand(program, await helperText(signal));
  // compiles it, so that root finds it in the user's cache and writes nothing there
  if (isCheckout(program)) await import("./run_helper.ts");
  return helperCommand(program);
}
