import { SYSTEM } from "../../core/system.ts";
import { readFileSync } from "node:fs";
import type { ResolverFiles } from "./detect_resolver.ts";

/** Reads what {@link ResolverFiles} lists; whatever cannot be read counts as absent. */
export function readResolverFiles(root = ""): ResolverFiles {
  return {
    platform: SYSTEM,
    resolvConf: read(`${root}/etc/resolv.conf`),
    resolvedUpstreams: read(`${root}/run/systemd/resolve/resolv.conf`),
    nsswitch: read(`${root}/etc/nsswitch.conf`),
  };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}
