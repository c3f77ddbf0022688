import { ConflictError, PermissionError } from "../../core/errors.ts";
import { exec } from "../../core/exec.ts";
import type { Report } from "../../core/report.ts";
import { findBridges } from "../../net/bridges/find_bridges.ts";
import type { RootHelper } from "../../plugins/plugin.ts";

export interface ServeBridgesOptions {
  readonly root: RootHelper;
  readonly report: Report;
  readonly signal: AbortSignal;
  /** `--includeBridges`. */
  readonly names: readonly string[];
  /** Of the local DNS server. */
  readonly port: number;
}

/**
 * Answers port 53 of the bridges' own addresses, for containers and virtual machines, which cannot
 * ask a loopback address.
 *
 * @returns The addresses. One whose port is another program's is told and left out.
 */
export async function serveBridges(
  { root, report, signal, names, port }: ServeBridgesOptions,
): Promise<string[]> {
  const bridges = await findBridges(exec, names, { signal, mayBeGone: true });
  const served: string[] = [];
  for (const { name, addresses } of bridges) {
    for (const address of addresses) {
      try {
        await root.open("dns.port53", {
          address,
          bridges: [...names],
          targetPort: port,
        });
        served.push(address);
      } catch (error) {
        const isHere = error instanceof ConflictError ||
          error instanceof PermissionError;
        if (!isHere) throw error;
        report.warn(
          "BRIDGE_NAMES_MISSING",
          `Whoever asks ${address}, of "${name}", does not get the cluster's names from this session: ${error.message}`,
        );
      }
    }
  }
  return served;
}
