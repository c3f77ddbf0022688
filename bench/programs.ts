/** The two forms in which ktctl is run. The bundle is there after `deno task bundle`. */
import { fileURLToPath } from "node:url";

export const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));
export const BUNDLE = fileURLToPath(
  new URL("../dist/ktctl.js", import.meta.url),
);

/** Words that start one of them. */
export function runWords(file: string): string[] {
  return [Deno.execPath(), "run", "-A", "--quiet", file];
}
