/**
 * A client in a process of its own, to be killed: `agentPort sshPort localPort hostKey protocol`,
 * key on stdin.
 */
import { connect } from "node:net";
import { readFileSync } from "node:fs";
import process from "node:process";
import { connectLocal } from "../../../../src/link/client/connect_local.ts";
import { openSshLink } from "../../../../src/link/client/open_ssh_link.ts";
import { openTlsLink } from "../../../../src/link/client/open_tls_link.ts";

// As ktctl does; see keep_accepting_test.ts.
process.on("SIGTERM", () => process.exit());

const [agentPort, sshPort, localPort, hostPublicKey, protocol] = Deno.args as [
  string,
  string,
  string,
  string,
  string,
];
const stream = connect({ port: Number(sshPort), host: "127.0.0.1" });
const open = protocol === "ssh" ? openSshLink : openTlsLink;
const link = await open(stream, {
  privateKey: readFileSync("/dev/stdin", "utf8"),
  hostPublicKey,
});
await link.attach(Number(agentPort), () => connectLocal(Number(localPort)));
console.log("attached");
await link.closed;
