import { Option } from "commander";

/** Of the verbs that take a Service which somebody may have. */
export function takeOverOption(): Option {
  return new Option(
    "--takeOver",
    "take the Service from somebody else: who lives is asked, and may refuse for 30 s",
  ).default(false);
}
