import {
  type HelperCommand,
  ownProgram,
} from "../../src/helper/helper_command.ts";
import { prepareHelper } from "../../src/helper/prepare_helper.ts";
import { PROGRAM_FORM } from "../cluster/program_form.ts";

/** The helper as the tested form of ktctl starts it: a checkout's, or by pipe. */
export function testedHelper(signal: AbortSignal): Promise<HelperCommand> {
  const main = PROGRAM_FORM === "source" ? "../../main.ts" : "../ktctl.js";
  const mainModule = new URL(main, import.meta.url).href;
  return prepareHelper({ ...ownProgram(), mainModule }, signal);
}
