/** Redirecting with iptables, where there is no nft: chains named by the session. */
import { UnsupportedError } from "../../core/errors.ts";
import type { Step } from "../../core/step.ts";
import type { Family } from "../cidr.ts";
import {
  familiesOf,
  type FamilyRedirect,
  type RedirectArgs,
  type RedirectMachine,
} from "./redirect_args.ts";

const TABLES = ["nat", "filter"] as const;
const FAMILIES: readonly Family[] = [4, 6];
/** How long to wait for another program that is changing rules. */
const LOCK_SECONDS = "5";

/** In each of the tables `nat` and `filter`. */
export function iptablesChainName(session: string): string {
  return `KTCTL_${session}`;
}

/**
 * For `iptables-restore --noflush`, which takes each table whole. Rules of the same session are
 * replaced. What is redirected and what refused is as with nft.
 *
 * @param present What `iptables-save` says: jumps that are there are not made again.
 */
export function iptablesRules(
  { captured, resolvers }: FamilyRedirect,
  args: RedirectArgs,
  present: string,
): string {
  const chain = iptablesChainName(args.session);
  const jump = (table: string, from: string) => {
    const rule = `${from} -j ${chain}`;
    const there = tableOf(present, table).includes(`-A ${rule}`);
    return there ? [] : [`-I ${from} 1 -j ${chain}`];
  };
  const { dns } = args;
  const ofDns = dns === undefined
    ? []
    : resolvers.flatMap((server) =>
      ["udp", "tcp"].map((protocol) =>
        `-A ${chain} -d ${server} -p ${protocol} --dport 53 ! --sport ${dns.ownSourcePorts.from}:${dns.ownSourcePorts.to} -j REDIRECT --to-ports ${dns.port}`
      )
    );
  return [
    "*nat",
    `:${chain} - [0:0]`,
    ...ofDns,
    ...captured.map((cidr) =>
      `-A ${chain} -d ${cidr} -p tcp --syn -j REDIRECT --to-ports ${args.port}`
    ),
    ...jump("nat", "OUTPUT"),
    ...args.forwarded ? jump("nat", "PREROUTING") : [],
    "COMMIT",
    "*filter",
    `:${chain} - [0:0]`,
    ...captured.map((cidr) => `-A ${chain} -d ${cidr} -p udp -j REJECT`),
    ...jump("filter", "OUTPUT"),
    "COMMIT",
    "",
  ].join("\n");
}

/** The text that removes whatever of the session is there; empty where nothing is. */
export function iptablesRemoval(session: string, present: string): string {
  const chain = iptablesChainName(session);
  return TABLES.flatMap((table) => {
    const lines = tableOf(present, table);
    const jumps = lines.filter((line) => line.endsWith(` -j ${chain}`));
    const exists = lines.some((line) => line.startsWith(`:${chain} `));
    if (!exists) return [];
    return [
      `*${table}`,
      ...jumps.map((line) => line.replace(/^-A/, "-D")),
      `-F ${chain}`,
      `-X ${chain}`,
      "COMMIT",
      "",
    ];
  }).join("\n");
}

/** Puts the rules in place, whatever of the same session was there. */
export const iptablesRedirectStep: Step<
  RedirectArgs,
  undefined,
  void,
  RedirectMachine
> = {
  id: "iptables.redirect",
  describe: ({ session }) =>
    `redirect the cluster's addresses with the iptables chains "${
      iptablesChainName(session)
    }"`,
  undoCommand: (args) =>
    familiesOf(args).flatMap(({ family }) =>
      TABLES.flatMap((table) => {
        const iptables = `${
          family === 4 ? "iptables" : "ip6tables"
        } -t ${table}`;
        const chain = iptablesChainName(args.session);
        const from = table === "nat" && args.forwarded
          ? ["OUTPUT", "PREROUTING"]
          : ["OUTPUT"];
        return [
          ...from.map((point) => `${iptables} -D ${point} -j ${chain}`),
          `${iptables} -F ${chain}`,
          `${iptables} -X ${chain}`,
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

/** The lines of one table in what `iptables-save` prints. */
function tableOf(saved: string, table: string): string[] {
  const lines = saved.split("\n");
  const start = lines.indexOf(`*${table}`);
  if (start === -1) return [];
  return lines.slice(start, lines.indexOf("COMMIT", start));
}
