import { SYSTEM, systemName } from "../../core/system.ts";
import { VERSION } from "../../core/version.ts";
import type { LaptopCheck } from "./laptop_subject.ts";

const SUPPORTED = ["linux", "darwin", "windows"];

export const SYSTEM_CHECK: LaptopCheck = {
  name: "system",
  title: "System",
  look() {
    const facts = {
      ktctl: VERSION,
      deno: Deno.version.deno,
      system: SYSTEM,
      release: Deno.osRelease(),
      architecture: Deno.build.arch,
    };
    const text =
      `${systemName()} ${facts.release} (${facts.architecture}), ktctl ${VERSION} on Deno ${facts.deno}`;
    return SUPPORTED.includes(SYSTEM)
      ? { state: "good", message: text, facts }
      : {
        state: "bad",
        message: `${text}: not a system that ktctl knows`,
        advice: "Use Linux, macOS or Windows.",
        facts,
      };
  },
};
