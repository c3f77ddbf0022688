/** The two forms in which ktctl is run. The bundle is there after `deno task bundle`. */
import { fileURLToPath } from "node:url";

export const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));
export const BUNDLE = fileURLToPath(
  new URL("../dist/ktctl.js", import.meta.url),
);
