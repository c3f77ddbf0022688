/**
 * A client of the root helper, as `connect` is one, run in the machine of helper_machine.ts. Says on
 * its output what happens; ends at the end of its input, or by Ctrl-C where that is a terminal.
 */
import { Cancelled, KtctlError } from "../../src/core/errors.ts";
import type { RootHelperClient } from "../../src/helper/root_helper_client.ts";
import { startHelper } from "../../src/helper/start_helper.ts";
import { REDIRECT } from "./helper_redirect.ts";
import { testedHelper } from "./tested_helper.ts";

const say = (event: string, more: unknown = {}) =>
  console.log(JSON.stringify({ event, ...more as object }));

let client: RootHelperClient | undefined;
const starting = new AbortController();
const ended = Promise.withResolvers<void>();
Deno.addSignalListener("SIGINT", async () => {
  if (client === undefined) return starting.abort(new Cancelled("SIGINT"));
  try { // whether the helper is still there
    await (await client.open("redirect.probe", {})).close();
    say("alive");
  } catch {
    // not any more, as the end was asked for
  }
  if (Deno.stdin.isTerminal()) ended.resolve();
});

try {
  client = await startHelper({
    signal: starting.signal,
    command: await testedHelper(starting.signal),
    onPrompt: () => say("prompt"),
  });
  client.failed.catch((error) => say("failed", { code: error.code }));
  await client.open("redirect.open", REDIRECT);
  // lives on when this process is killed, and must not hold the helper's pipe
  const child = new Deno.Command("sleep", {
    args: ["20"],
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true, // out of reach of a Ctrl-C
  }).spawn();
  child.unref();
  say("ready", { helper: client.pid, swept: client.swept, child: child.pid });
  if (Deno.stdin.isTerminal()) await ended.promise;
  else for await (const _ of Deno.stdin.readable);
  child.kill();
  await client[Symbol.asyncDispose]();
  say("closed");
} catch (error) {
  if (!(error instanceof KtctlError)) throw error;
  const { code, exitCode, message, hint, details } = error;
  say("error", { code, exitCode, message, hint, details });
}
Deno.exit(0);
