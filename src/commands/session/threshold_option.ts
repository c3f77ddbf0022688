import { Option } from "commander";
import { parseWhole } from "../../cli/flag_values.ts";
import { DEFAULT_THRESHOLD_MINUTES } from "../../cluster/object/default_threshold.ts";

/** Of those who tell the dead from the living. */
export function thresholdOption(): Option {
  return new Option(
    "--thresholdInMinus <minutes>",
    "a session without a heartbeat for longer is dead",
  ).argParser(parseWhole("thresholdInMinus", 0)).default(
    DEFAULT_THRESHOLD_MINUTES,
  );
}
