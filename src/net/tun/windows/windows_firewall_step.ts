import * as v from "valibot";
import { runPowershell } from "../../run_powershell.ts";
import type { Step } from "../../../undo/step.ts";
import { sessionSchema, type TunMachine } from "../tun_args.ts";
import { wintunName } from "./wintun_name.ts";

const schema = v.object({ session: sessionSchema });

export type WindowsFirewallArgs = v.InferOutput<typeof schema>;

/** What of Windows' firewall there is by the name in `$ask.rule`. */
const FIND = `
try { $rules = @(Get-NetFirewallRule -Name $ask.rule) }
catch {
  if ($_.FullyQualifiedErrorId -notlike 'CmdletizationQuery_NotFound*') { throw }
  $rules = @()
}
`;
const ADD = `
${FIND}
if ($rules.Count -eq 0) {
  New-NetFirewallRule -Name $ask.rule -DisplayName $ask.rule \`
    -Description 'Connections that ktctl carries to a cluster' \`
    -Direction Inbound -Action Allow -Profile Any -InterfaceAlias $ask.rule \`
    -Program $ask.program | Out-Null
}
`;
const REMOVE = `
${FIND}
foreach ($rule in $rules) { Remove-NetFirewallRule -Name $rule.Name }
`;
const COUNT = `
${FIND}
$rules.Count
`;

/**
 * Lets this program be reached through its own device: what is sent back up that comes from outside
 * for Windows' firewall. The rule stays when programs and the machine end. Not verified on Windows.
 */
export const windowsFirewallStep: Step<
  WindowsFirewallArgs,
  { readonly program: string },
  void,
  Pick<TunMachine, "exec">
> = {
  id: "tun.windows-firewall",
  schema,
  describe: ({ session }) => `firewall rule "${wintunName(session)}"`,
  undoCommand: ({ session }) =>
    `powershell Remove-NetFirewallRule -Name ${wintunName(session)}`,
  async apply({ session }, { program }, machine) {
    await runPowershell(machine, {
      purpose: "let Windows' firewall pass the device's connections",
      script: ADD,
      // the rule has the name of the device
      input: { rule: wintunName(session), program },
    });
  },
  async revert({ session }, machine, signal) {
    await runPowershell(machine, {
      purpose: "remove the rule of Windows' firewall",
      script: REMOVE,
      input: { rule: wintunName(session) },
    }, { signal });
  },
  async isPresent({ session }, machine, signal) {
    const count = await runPowershell(machine, {
      purpose: "look for the rule of Windows' firewall",
      script: COUNT,
      input: { rule: wintunName(session) },
    }, { signal });
    return count !== 0;
  },
};
