import { SYSTEM } from "../../core/system.ts";
import type { LaptopCheck } from "./laptop_subject.ts";

const NOT_NEEDED =
  "No other command needs it, nor does `connect --disableTunDevice`.";

/** Root's rights, which `connect` needs to change routes and the resolver. */
export const ROOT_CHECK: LaptopCheck = {
  name: "root",
  title: "Root rights",
  async look({ isRoot, exec, host: { env } }, signal) {
    if (isRoot) {
      const sudoer = env("SUDO_USER");
      return sudoer
        ? {
          state: "warning",
          message: "this is root by sudo, with root's kubeconfig and files",
          advice: "Run ktctl as yourself: it asks for root where it needs it.",
        }
        : { state: "good", message: "this is root" };
    }
    if (SYSTEM === "windows") {
      return {
        state: "warning",
        message: "this is no administrator, as whom connect has to run",
        advice: `Open a terminal as administrator for it. ${NOT_NEEDED}`,
      };
    }
    // whether this user may use it, it tells nobody without writing to the log
    const sudo = await exec("sudo", ["--version"], { signal })
      .catch(() => null);
    return sudo?.code === 0
      ? {
        state: "good",
        message: "connect asks for them by sudo",
        facts: { sudo: sudo.stdout.split("\n")[0]?.trim() ?? "" },
      }
      : {
        state: "warning",
        message: "there is no sudo, by which connect asks for them",
        advice: `Run connect as root. ${NOT_NEEDED}`,
      };
  },
};
