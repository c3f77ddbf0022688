/**
 * The program in the Shadow Pod. Bundled into one file and run from a ConfigMap:
 * `agent.js [config.json] [keys directory]`.
 */
import { readFile } from "node:fs/promises";
import process from "node:process";
import { messageOf } from "../core/errors.ts";
import { AGENT_DIR, AGENT_KEYS_DIR, type AgentConfig } from "./agent_config.ts";
import { hostPublicKey, readAgentKeys } from "./agent_keys.ts";
import { LinkDoor } from "./link_door.ts";
import { logLine } from "./log_line.ts";
import { PortTable } from "./port_table.ts";
import { startSshServer } from "./ssh_server.ts";
import { startStatusServer } from "./status_server.ts";

async function main(
  configFile = `${AGENT_DIR}/config.json`,
  keysDir = AGENT_KEYS_DIR,
): Promise<void> {
  const config: AgentConfig = JSON.parse(await readFile(configFile, "utf8"));
  const keys = await readAgentKeys(keysDir);
  const ports = new PortTable(config);
  // PID 1 of a container ignores every signal that it has no handler for.
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      ports.close();
      setTimeout(() => process.exit(0), config.lingerMs);
    });
  }
  await ports.listen();
  const serveSsh = await startSshServer({ config, keys, ports });
  const door = new LinkDoor(await hostPublicKey(keys), serveSsh);
  await startStatusServer(config, ports, door);
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
