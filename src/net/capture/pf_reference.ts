/**
 * Keeps macOS's pf switched on. Everybody who needs it has a token, and it goes off with the last
 * one. Not verified on a Mac.
 */
import * as v from "valibot";
import { UnsupportedError } from "../../core/errors.ts";
import type { Step } from "../../undo/step.ts";
import type { RedirectMachine } from "./redirect_args.ts";
import { runPfctl } from "./run_pfctl.ts";

const schema = v.object({
  token: v.pipe(v.string(), v.regex(/^\d{1,20}$/)),
});

type Args = v.InferOutput<typeof schema>;

/**
 * Switches pf on, and gives the token of ours, for {@link pfReferenceStep}. The kernel invents it,
 * so that it cannot be journalled before: whoever dies right here leaves pf on, with the rules that
 * it had, which lead nothing anywhere.
 *
 * @throws {UnsupportedError} `PF_FAILED`.
 */
export async function startPf(machine: RedirectMachine): Promise<string> {
  const { stdout, stderr } = await runPfctl(machine, ["-E"]);
  const token = pfToken(`${stdout}\n${stderr}`);
  if (token !== undefined) return token;
  throw new UnsupportedError("PF_FAILED", "Cannot use pf: it gave no token");
}

/** In what `pfctl -E` says. */
export function pfToken(text: string): string | undefined {
  return text.match(/^Token\s*:\s*(\d{1,20})\s*$/m)?.[1];
}

/** Notes the token of {@link startPf}, and gives it back. */
export const pfReferenceStep: Step<Args, undefined, void, RedirectMachine> = {
  id: "pf.reference",
  schema,
  describe: () => "pf, switched on",
  undoCommand: ({ token }) => `pfctl -X ${token}`,
  apply: () => Promise.resolve(),
  async revert({ token }, machine, signal) {
    if (!await isReferred(token, machine, signal)) return;
    await runPfctl(machine, ["-X", token], { signal });
  },
  isPresent: ({ token }, machine, signal) => isReferred(token, machine, signal),
};

async function isReferred(
  token: string,
  machine: RedirectMachine,
  signal: AbortSignal,
): Promise<boolean> {
  const args = ["-s", "References"];
  const { stdout } = await runPfctl(machine, args, { signal });
  return stdout.split(/\s+/).includes(token);
}
