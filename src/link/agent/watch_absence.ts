/** Takes back what the session did, when no client is there for so long. */
import { messageOf } from "../../core/errors.ts";
import type { AgentConfig } from "./agent_config.ts";
import { loadRestorer } from "./load_restorer.ts";
import { logLine } from "./log_line.ts";
import type { PortTable } from "./port_table.ts";
import { RestoreSwitch } from "./restore_switch.ts";

export function watchAbsence(
  { restore, lingerMs, mostLingerMs = lingerMs }: AgentConfig,
  ports: PortTable,
): void {
  if (restore === undefined) return;
  const takeBack = async (isStillOver: () => boolean) => {
    logLine(`no client for ${restore.afterMs} ms: all is taken back`);
    try {
      const program = await loadRestorer(restore.programDigest);
      await program.restore(restore, {
        log: logLine,
        begin: () => isStillOver() && ports.refuseClients(),
        quiet: () => ports.quiet(lingerMs, mostLingerMs),
      });
    } catch (error) {
      logLine(`cannot take back: ${messageOf(error)}`);
    }
  };
  const timer = new RestoreSwitch(restore.afterMs, takeBack);
  ports.onAttached((isAttached) => timer.look(isAttached));
}
