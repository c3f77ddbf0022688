import assert from "node:assert/strict";
import { systemdResolvedOperation } from "../../../../src/helper/operations/systemd_resolved_operation.ts";
import { TemporaryMachine } from "../temporary_machine.ts";

const ARGS = {
  device: "kt0",
  nameserver: "10.199.0.1",
  search: ["default.svc.cluster.local"],
  routed: ["cluster.local", "svc", "prod"],
};

/** Runs the operation against a `resolvectl` that says this; gives back what it was called with. */
async function run(
  say: (words: readonly string[]) => string | undefined,
): Promise<string[]> {
  const calls: string[] = [];
  await using it = new TemporaryMachine((words) => {
    calls.push(words.join(" "));
    const stderr = say(words);
    return {
      code: stderr === undefined ? 0 : 1,
      stdout: "",
      stderr: stderr ?? "",
    };
  });
  await systemdResolvedOperation.apply(ARGS, it.scope, () => {});
  await it.scope.dispose();
  return calls;
}

Deno.test("systemd-resolved gets domains before the server, and loses all of it at once", async () => {
  assert.deepEqual(await run(() => undefined), [
    "resolvectl domain kt0 default.svc.cluster.local ~cluster.local ~svc ~prod",
    "resolvectl default-route kt0 false",
    "resolvectl dnsovertls kt0 no",
    "resolvectl dnssec kt0 no",
    "resolvectl dns kt0 10.199.0.1",
    "resolvectl revert kt0",
  ]);
});

Deno.test("a link that is gone has nothing to revert", async () => {
  const calls = await run((words) =>
    words[1] === "revert"
      ? 'Failed to resolve interface "kt0": No such device\n'
      : undefined
  );
  assert.equal(calls.length, 6);
});

Deno.test("what resolvectl refuses is an error with its words", async () => {
  await assert.rejects(
    run((words) => words[1] === "dns" ? "Link kt0 is managed.\n" : undefined),
    {
      code: "RESOLVED_REFUSED",
      message: 'Cannot run "resolvectl dns kt0": Link kt0 is managed.',
    },
  );
});
