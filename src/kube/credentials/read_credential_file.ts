import { readFile } from "node:fs/promises";
import { messageOf, UsageError } from "../../core/errors.ts";

export async function readCredentialFile(
  file: string,
  what: string,
): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new UsageError(
      "KUBECONFIG_INVALID",
      `Cannot read the ${what} "${file}": ${messageOf(error)}`,
      { cause: error },
    );
  }
}
