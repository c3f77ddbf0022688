import { messageOf } from "../../core/errors.ts";
import { SYSTEM } from "../../core/system.ts";
import { probeRedirect } from "../../net/capture/probe_redirect.ts";
import { REDIRECT_METHODS_BY_SYSTEM } from "../../net/capture/redirect_methods.ts";
import type { LaptopCheck } from "./laptop_subject.ts";

/** The arguments by which a program says its version, where it changes and reads nothing. */
const VERSION_ARGS: Readonly<Record<string, readonly string[]>> = {
  nft: ["--version"],
  iptables: ["--version"],
};

/** The program that redirects connections, for `connect --mode sshuttle`. */
export const FIREWALL_CHECK: LaptopCheck = {
  name: "firewall",
  title: "Firewall program",
  async look({ exec, isRoot }, signal) {
    const names = REDIRECT_METHODS_BY_SYSTEM[SYSTEM];
    if (names === undefined) {
      return {
        state: "good",
        message: "this system has none that ktctl uses: no --mode sshuttle",
      };
    }
    if (isRoot) {
      try {
        const program = await probeRedirect({ exec });
        return {
          state: "good",
          message: `${program} takes the rules of --mode sshuttle`,
          facts: { program },
        };
      } catch (error) {
        return {
          state: "warning",
          message: messageOf(error),
          advice:
            "`connect --mode sshuttle` does not work; without it, this program is not needed. On Linux, install nftables.",
        };
      }
    }
    for (const program of names) {
      const args = VERSION_ARGS[program];
      if (args === undefined) {
        return {
          state: "good",
          message: `${program}, which only root can ask whether it works`,
          facts: { program },
        };
      }
      const version = await exec(program, args, { signal }).catch(() => null);
      if (version?.code !== 0) continue;
      return {
        state: "good",
        message:
          `${version.stdout.trim()}; whether it takes rules, only root can ask`,
        facts: { program },
      };
    }
    return {
      state: "warning",
      message: `there is no ${names.join(", and no ")} on this user's PATH`,
      advice:
        "Only `connect --mode sshuttle` needs one, as root, whose PATH may have it.",
    };
  },
};
