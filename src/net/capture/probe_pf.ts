import { UnsupportedError } from "../../core/errors.ts";
import { pfAnchorName, pfRules } from "./pf_anchor.ts";
import type { RedirectArgs, RedirectMachine } from "./redirect_args.ts";
import { runPfctl } from "./run_pfctl.ts";

/** What pf shows of itself. */
export interface PfState {
  /** `pfctl -s nat` */
  readonly translations: string;
  /** `pfctl -s rules` */
  readonly filters: string;
  /** `pfctl -s Interfaces -v -i lo0` */
  readonly loopback: string;
}

/**
 * Whether macOS's pf can redirect. Changes nothing. Not verified on a Mac.
 *
 * @throws {UnsupportedError} `PF_FAILED`; `REDIRECT_UNSUPPORTED` where rules of ours would not be
 * looked at.
 */
export async function probePf(
  machine: RedirectMachine,
  specimen: RedirectArgs,
): Promise<void> {
  const anchor = pfAnchorName(specimen.session);
  await runPfctl(machine, ["-n", "-a", anchor, "-f", "-"], {
    stdin: pfRules(specimen),
  });
  const ask = async (...args: string[]) =>
    (await runPfctl(machine, ["-s", ...args])).stdout;
  const problem = pfProblem({
    translations: await ask("nat"),
    filters: await ask("rules"),
    loopback: await ask("Interfaces", "-v", "-i", "lo0"),
  });
  if (problem === undefined) return;
  throw new UnsupportedError(
    "REDIRECT_UNSUPPORTED",
    `Cannot redirect connections with pf: ${problem}`,
    {
      hint: "Load Apple's own rules again: `sudo pfctl -f /etc/pf.conf`.",
    },
  );
}

/** Why an anchor below Apple's would do nothing. */
export function pfProblem(
  { translations, filters, loopback }: PfState,
): string | undefined {
  if (!/^rdr-anchor "com\.apple\/\*"/m.test(translations)) {
    return 'its rules do not call rdr-anchor "com.apple/*"';
  }
  if (!/^anchor "com\.apple\/\*"/m.test(filters)) {
    return 'its rules do not call anchor "com.apple/*"';
  }
  if (/^lo0 \(skip\)/m.test(loopback)) {
    return "it is told to leave out lo0";
  }
  return undefined;
}
