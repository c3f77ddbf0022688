// Runs inside a network namespace: the name server of a session, and the helper's way to it at the
// addresses that it is told. Prints what came of each; ends with its input.
import { Buffer } from "node:buffer";
import dnsPacket from "dns-packet";
import { KtctlError } from "../../src/core/errors.ts";
import { exec } from "../../src/core/exec.ts";
import { Scope } from "../../src/undo/scope.ts";
import type { Machine } from "../../src/helper/operations/operation.ts";
import { port53Operation } from "../../src/helper/operations/port53_operation.ts";
import { DnsServer } from "../../src/net/dns/dns_server.ts";
import { MemoryJournal } from "../unit/core/memory_journal.ts";

export interface BridgeNamesConfig {
  /** Addresses, each with the bridges that are named for it. */
  readonly wanted: readonly (readonly [address: string, ...string[]])[];
}

async function main({ wanted }: BridgeNamesConfig): Promise<void> {
  const { port } = await DnsServer.listen({
    host: "127.0.0.1",
    port: 0,
    answer: (query) => Promise.resolve(answer(query)),
  });
  const scope = Scope.root<Machine>({
    world: { exec, root: "" },
    journal: new MemoryJournal(),
    signal: new AbortController().signal,
  });
  const outcomes: string[] = [];
  for (const [address, ...bridges] of wanted) {
    const args = { address, bridges, targetPort: port };
    const outcome = port53Operation.apply(args, scope, () => {});
    outcomes.push(
      await outcome.then(() => "open", (error) => {
        if (error instanceof KtctlError) return error.code;
        throw error;
      }),
    );
  }
  console.log(JSON.stringify(outcomes));
}

/** The same for every name. */
function answer(query: Uint8Array): Uint8Array {
  const { id = 0, questions = [] } = dnsPacket.decode(Buffer.from(query));
  const [question] = questions;
  return dnsPacket.encode({
    type: "response",
    id,
    questions,
    answers: [{ type: "A", name: question!.name, data: "10.96.0.7" }],
  });
}

if (import.meta.main) await main(JSON.parse(Deno.args[0]!));
