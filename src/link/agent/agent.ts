/**
 * The program in the Shadow Pod. Bundled into one file and run from a ConfigMap, with its
 * configuration as JSON, the digest of its keys and their directory.
 */
import process from "node:process";
import { messageOf, UsageError } from "../../core/errors.ts";
import { keysDigest } from "../wire/keys_digest.ts";
import { AGENT_KEYS_DIR, type AgentConfig } from "./agent_config.ts";
import { hostPublicKey, readAgentKeys } from "./agent_keys.ts";
import { startLinkServer } from "./link_server.ts";
import { LinkUpgrade } from "./link_upgrade.ts";
import { logLine } from "./log_line.ts";
import { PortTable } from "./port_table.ts";
import { startStatusServer } from "./status_server.ts";
import { watchAbsence } from "./watch_absence.ts";

async function main(
  configText = "",
  digest = "",
  keysDir = AGENT_KEYS_DIR,
): Promise<void> {
  const config: AgentConfig = JSON.parse(configText);
  const keys = await readAgentKeys(keysDir);
  const hostKey = hostPublicKey(keys);
  if (keysDigest(hostKey, keys.authorizedKey) !== digest) {
    throw new UsageError(
      "AGENT_KEYS_CHANGED",
      "The Secret's keys are not those that this pod was made with",
    );
  }
  const ports = new PortTable(config);
  // PID 1 of a container ignores every signal that it has no handler for.
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      ports.close();
      const { lingerMs, mostLingerMs = lingerMs } = config;
      ports.quiet(lingerMs, mostLingerMs).then(() => process.exit(0));
    });
  }
  await ports.listen();
  const serve = await startLinkServer({ config, keys, ports });
  const upgrade = new LinkUpgrade(hostKey, serve);
  await startStatusServer(config, ports, upgrade);
  watchAbsence(config, ports);
  logLine("ready");
}

// One connection's fault must not end the others: an agent that restarts drops them all.
for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(
    event,
    (error: unknown) => logLine(`${event}: ${messageOf(error)}`),
  );
}
main(...process.argv.slice(2)).catch((error) => {
  logLine(`cannot start: ${messageOf(error)}`);
  process.exit(1);
});
