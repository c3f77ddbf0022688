import * as v from "valibot";
import { ConflictError } from "../../core/errors.ts";
import type { Step } from "../../undo/step.ts";
import { runPowershell } from "../../net/run_powershell.ts";
import { sessionSchema } from "../../net/tun/tun_args.ts";
import { wintunName } from "../../net/tun/windows/wintun_name.ts";
import type { Machine, Operation } from "./operation.ts";
import { address, domain, domains } from "./resolver_arguments.ts";

const schema = v.object({ session: sessionSchema });

type Args = v.InferOutput<typeof schema>;
type Input = {
  readonly nameserver: string;
  readonly domains: readonly string[];
};

/** Of one rule: larger ones are said to be passed by. */
const MOST_NAMESPACES = 50;

const FIND = `
$rules = @(Get-DnsClientNrptRule | Where-Object { $_.Comment -eq $ask.comment })
`;
/** Rules of a group policy are all that Windows looks at, where there are any. */
const ADD = `
$policy = 'HKLM:\\SOFTWARE\\Policies\\Microsoft\\Windows NT\\DNSClient\\DnsPolicyConfig'
if ((Test-Path -LiteralPath $policy) -and @(Get-ChildItem -LiteralPath $policy).Count -gt 0) {
  return @{ isOverruled = $true }
}
${FIND}
$have = @($rules | ForEach-Object { $_.Namespace })
$missing = @($ask.namespaces | Where-Object { $_ -notin $have })
for ($at = 0; $at -lt $missing.Count; $at += $ask.most) {
  $end = [Math]::Min($at + $ask.most, $missing.Count) - 1
  Add-DnsClientNrptRule -Namespace @($missing[$at..$end]) \`
    -NameServers @($ask.nameserver) -Comment $ask.comment | Out-Null
}
Clear-DnsClientCache
@{ isOverruled = $false }
`;
const REMOVE = `
${FIND}
foreach ($rule in $rules) { Remove-DnsClientNrptRule -Name $rule.Name -Force }
if ($rules.Count -gt 0) { Clear-DnsClientCache }
`;
const COUNT = `
${FIND}
$rules.Count
`;

/**
 * How Windows' name resolution policy table has domains: with a dot in front is all below one; without,
 * the name itself, which one of a single label must not be: it would match the first label of any name.
 */
export function nrptNamespaces(domains: readonly string[]): string[] {
  return [
    ...new Set(
      domains.map((one) => one.toLowerCase()).flatMap((domain) =>
        domain.includes(".") ? [`.${domain}`, domain] : [`.${domain}`]
      ),
    ),
  ];
}

/** The rules' comment tells whose they are. */
function commentOf(session: string): string {
  return `ktctl ${session}`;
}

/**
 * Sends domains to our name server. Applied again, it adds what is new; what is not wanted any more
 * stays until the end, and is passed on by us. Not verified on Windows.
 */
export const nrptStep: Step<Args, Input, { isOverruled: boolean }, Machine> = {
  id: "resolver.nrpt",
  schema,
  describe: ({ session }) => `NRPT rules with comment "${commentOf(session)}"`,
  undoCommand: ({ session }) =>
    `powershell "Get-DnsClientNrptRule | Where-Object Comment -eq '${
      commentOf(session)
    }' | Remove-DnsClientNrptRule -Force"`,
  async apply({ session }, { nameserver, domains }, machine) {
    return await runPowershell(machine, {
      purpose: "send names of the cluster to ktctl",
      script: ADD,
      input: {
        comment: commentOf(session),
        nameserver,
        namespaces: nrptNamespaces(domains),
        most: MOST_NAMESPACES,
      },
    }) as { isOverruled: boolean };
  },
  async revert({ session }, machine, signal) {
    await runPowershell(machine, {
      purpose: "remove the rules for names (NRPT)",
      script: REMOVE,
      input: { comment: commentOf(session) },
    }, { signal });
  },
  async isPresent({ session }, machine, signal) {
    const count = await runPowershell(machine, {
      purpose: "look for rules for names (NRPT)",
      script: COUNT,
      input: { comment: commentOf(session) },
    }, { signal });
    return count !== 0;
  },
};

const SUFFIX_SCRIPT = `
Set-DnsClient -InterfaceAlias $ask.device -ConnectionSpecificSuffix $ask.suffix \`
  -RegisterThisConnectionsAddress $false
`;

const args = v.strictObject({
  session: sessionSchema,
  /** It is asked at port 53: a rule knows no other. */
  nameserver: address,
  domains: v.pipe(domains, v.minLength(1)),
  /** What Windows puts behind names without a dot, where the session has a device. */
  suffix: v.exactOptional(domain),
});

/**
 * `resolver.nrpt`: split DNS of Windows. The suffix goes when the session's device goes.
 *
 * @throws {ConflictError} `NRPT_OVERRULED` by a group policy.
 * @throws {UnsupportedError} `POWERSHELL_FAILED`.
 */
export const nrptOperation: Operation<v.InferOutput<typeof args>> = {
  name: "resolver.nrpt",
  args,
  steps: [nrptStep],
  async apply({ session, suffix, ...input }, scope) {
    const { isOverruled } = await scope.run(nrptStep, { session }, input);
    if (isOverruled) {
      throw new ConflictError(
        "NRPT_OVERRULED",
        "Cannot send names of the cluster to ktctl: a group policy has rules for names (NRPT), and Windows then ignores all others",
      );
    }
    if (suffix !== undefined) {
      await runPowershell(scope.world, {
        purpose: "complete short names with the cluster's domain",
        script: SUFFIX_SCRIPT,
        input: { device: wintunName(session), suffix },
      });
    }
    return null;
  },
};
