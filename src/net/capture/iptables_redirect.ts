/** Redirecting with iptables, where there is no nft: chains named by the session. */
import { UnsupportedError } from "../../core/errors.ts";
import type { Step } from "../../undo/step.ts";
import type { Family } from "../cidr.ts";
import {
  guestChainName,
  IPTABLES_TABLES,
  iptablesChainName,
  iptablesJumps,
  iptablesRemoval,
  iptablesRules,
} from "./iptables_rules.ts";
import {
  familiesOf,
  type RedirectArgs,
  redirectArgsSchema,
  type RedirectMachine,
} from "./redirect_args.ts";

const FAMILIES: readonly Family[] = [4, 6];
/** How long to wait for another program that is changing rules. */
const LOCK_SECONDS = "5";

/** Puts the rules in place, whatever of the same session was there. */
export const iptablesRedirectStep: Step<
  RedirectArgs,
  undefined,
  void,
  RedirectMachine
> = {
  id: "iptables.redirect",
  schema: redirectArgsSchema,
  describe: ({ session }) =>
    `redirect of the cluster's addresses by the iptables chains "${
      iptablesChainName(session)
    }"`,
  undoCommand: (args) =>
    familiesOf(args).flatMap(({ family }) =>
      IPTABLES_TABLES.flatMap((table) => {
        const iptables = `${
          family === 4 ? "iptables" : "ip6tables"
        } -t ${table}`;
        const chains = [
          iptablesChainName(args.session),
          ...table === "nat" && args.forwarded
            ? [guestChainName(args.session)]
            : [],
        ];
        return [
          ...iptablesJumps(args)[table].map(({ from, match }) =>
            `${iptables} -D ${from} ${match}`
          ),
          ...chains.map((chain) => `${iptables} -F ${chain}`),
          ...chains.map((chain) => `${iptables} -X ${chain}`),
        ];
      })
    ).join("; "),
  async apply(args, _input, machine) {
    for (const one of familiesOf(args)) {
      const present = await save(machine, one.family);
      await restore(machine, one.family, iptablesRules(one, args, present));
    }
  },
  async revert(args, machine, signal) {
    const needed = familiesOf(args).map(({ family }) => family);
    for (const family of FAMILIES) {
      const present = await save(machine, family, signal).catch((error) => {
        if (needed.includes(family)) throw error;
        return ""; // where IPv6 cannot even be listed, nothing of ours is
      });
      const text = iptablesRemoval(args.session, present);
      if (text !== "") await restore(machine, family, text, { signal });
    }
  },
};

function program(family: Family, verb: "save" | "restore"): string {
  return `${family === 4 ? "iptables" : "ip6tables"}-${verb}`;
}

/** All rules of a family. */
export async function save(
  { exec }: RedirectMachine,
  family: Family,
  signal?: AbortSignal,
): Promise<string> {
  const name = program(family, "save");
  const { code, stdout, stderr } = await exec(name, [], {
    ...(signal && { signal }),
  });
  if (code !== 0) throw failed(name, stderr);
  return stdout;
}

/** @throws {UnsupportedError} `IPTABLES_FAILED`. */
export async function restore(
  { exec }: RedirectMachine,
  family: Family,
  text: string,
  options: { readonly signal?: AbortSignal; readonly test?: boolean } = {},
): Promise<void> {
  const { signal, test = false } = options;
  const name = program(family, "restore");
  const { code, stderr } = await exec(name, [
    "--noflush",
    "--wait",
    LOCK_SECONDS,
    ...test ? ["--test"] : [],
  ], { stdin: text, ...(signal && { signal }) });
  if (code !== 0) throw failed(name, stderr);
}

function failed(name: string, stderr: string): UnsupportedError {
  return new UnsupportedError(
    "IPTABLES_FAILED",
    `Cannot set up rules with ${name}: ${stderr.trim().split("\n")[0] ?? ""}`,
    { hint: "It needs root, and the kernel's nat table and REDIRECT target." },
  );
}
