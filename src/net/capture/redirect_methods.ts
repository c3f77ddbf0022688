import { UnsupportedError } from "../../core/errors.ts";
import type { System } from "../../core/system.ts";
import type { Scope } from "../../undo/scope.ts";
import type { AnyStep, Step } from "../../undo/step.ts";
import { iptablesRedirectStep, restore, save } from "./iptables_redirect.ts";
import { iptablesChainName, iptablesRules } from "./iptables_rules.ts";
import { nftRedirectStep, nftRules, nftTables } from "./nft_redirect.ts";
import { isPfRedirected, pfAnchorStep } from "./pf_anchor.ts";
import { pfReferenceStep, startPf } from "./pf_reference.ts";
import { probePf } from "./probe_pf.ts";
import {
  familiesOf,
  type RedirectArgs,
  type RedirectMachine,
} from "./redirect_args.ts";

export type RedirectMethodName = "nft" | "iptables" | "pf";

/** How a program of the system redirects connections. All of it as root. */
export interface RedirectMethod {
  /** Makes the rules; applied again, it puts others in their place in one moment. */
  readonly step: Step<RedirectArgs, undefined, void, RedirectMachine>;

  /** Made before it and journalled: see {@link RedirectMethod.prepare}. */
  readonly earlierSteps: readonly AnyStep<RedirectMachine>[];

  /** What has to be there before the rules. */
  prepare(scope: Scope<RedirectMachine>): Promise<void>;

  /** Whether it would take such rules. Changes nothing. @throws {UnsupportedError} with what it said. */
  probe(machine: RedirectMachine, specimen: RedirectArgs): Promise<void>;

  /** Whether there are rules of the session. */
  isOpen(machine: RedirectMachine, session: string): Promise<boolean>;
}

export const REDIRECT_METHODS: Readonly<
  Record<RedirectMethodName, RedirectMethod>
> = {
  nft: {
    step: nftRedirectStep,
    earlierSteps: [],
    async prepare() {},
    async probe({ exec }, specimen) {
      const stdin = nftRules(specimen);
      const options = { stdin };
      const { code, stderr } = await exec(
        "nft",
        ["--check", "-f", "-"],
        options,
      );
      if (code === 0) return;
      const message = `Cannot use it: ${stderr.trim()}`;
      throw new UnsupportedError("NFT_FAILED", message);
    },
    isOpen: async (machine, session) =>
      (await nftTables(machine, session)).length > 0,
  },
  iptables: {
    step: iptablesRedirectStep,
    earlierSteps: [],
    async prepare() {},
    async probe(machine, specimen) {
      const [family] = familiesOf(specimen);
      const present = await save(machine, 4);
      const text = iptablesRules(family!, specimen, present);
      await restore(machine, 4, text, { test: true });
    },
    async isOpen(machine, session) {
      const chain = `:${iptablesChainName(session)} `;
      const saved = [
        await save(machine, 4),
        await save(machine, 6).catch(() => ""),
      ];
      return saved.some((text) => text.includes(chain));
    },
  },
  pf: {
    step: pfAnchorStep,
    earlierSteps: [pfReferenceStep],
    async prepare(scope) {
      const token = await startPf(scope.world);
      await scope.run(pfReferenceStep, { token }, undefined);
    },
    probe: probePf,
    isOpen: isPfRedirected,
  },
};

/** The best first. */
export const REDIRECT_METHODS_BY_SYSTEM: Readonly<
  Partial<Record<System, readonly RedirectMethodName[]>>
> = {
  linux: ["nft", "iptables"],
  darwin: ["pf"],
};
