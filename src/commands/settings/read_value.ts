import { CommanderError, type Option } from "commander";
import { UsageError } from "../../core/errors.ts";
import { REPEATED } from "../session/global_options.ts";
import type { SettingValue } from "./setting.ts";

/**
 * What a flag would be with that text behind it: by the flag's own parser, so that all is refused that the flag
 * refuses.
 *
 * @throws {UsageError} the flag's own, or `FLAG_INVALID`
 */
export function readValue(option: Option, value: SettingValue): unknown {
  const name = option.attributeName();
  const invalid = (reason: string) =>
    new UsageError("FLAG_INVALID", `Cannot read ${name}: ${reason}`);
  if (option.isBoolean()) return readBoolean(value, invalid);
  if (option.optional && typeof value === "boolean") return value || undefined;
  if (typeof value === "boolean") {
    throw invalid("it is a text; true and false need quotes to be one");
  }
  if (typeof value !== "string" && !REPEATED.has(name)) {
    throw invalid("it is one value, not a list");
  }
  const texts = typeof value === "string" ? [value] : value;
  try {
    return texts.reduce<unknown>(
      (before, text) =>
        option.parseArg === undefined ? text : option.parseArg(text, before),
      undefined,
    );
  } catch (error) {
    // of `.choices()`
    if (!(error instanceof CommanderError)) throw error;
    const { message } = error;
    throw invalid(
      `"${texts.at(-1)}": ${message[0]!.toLowerCase()}${
        message.slice(1).replace(/\.$/, "")
      }`,
    );
  }
}

function readBoolean(
  value: SettingValue,
  invalid: (reason: string) => UsageError,
): boolean {
  if (value === true || value === "true") return true;
  if (value === false || value === "false") return false;
  throw invalid("it is true or false");
}
