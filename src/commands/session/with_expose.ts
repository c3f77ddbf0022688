import type { Command } from "commander";
import {
  type ExposedPort,
  missingExpose,
} from "../../cluster/service/expose.ts";
import type { GlobalOptions } from "./global_options.ts";

/** A command's options and the global ones. Throws `UsageError` (`EXPOSE_MISSING`). */
export function withExpose<T extends { expose: ExposedPort[] }>(
  command: Command,
): T & GlobalOptions {
  const options = command.optsWithGlobals<T & GlobalOptions>();
  if (options.expose === undefined) throw missingExpose();
  return options;
}
