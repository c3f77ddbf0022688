import { type HelperCommand, ownProgram } from "../../helper/helper_command.ts";
import { prepareHelper } from "../../helper/prepare_helper.ts";

/**
 * How the kit starts the root helper. Not as ktctl itself does in a checkout, by the module that this process began
 * with: as a library the kit is in somebody's test, and that is not to run as root.
 *
 * @throws {UnsupportedError} `BUNDLE_FAILED`.
 */
export function kitHelper(signal: AbortSignal): Promise<HelperCommand> {
  return prepareHelper({ ...ownProgram(), mainModule: "" }, signal);
}
