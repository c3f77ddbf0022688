import assert from "node:assert/strict";
import * as v from "valibot";
import type { Json } from "../../../../src/core/json.ts";
import { Scope } from "../../../../src/undo/scope.ts";
import {
  nrptNamespaces,
  nrptOperation,
  nrptStep,
} from "../../../../src/helper/operations/nrpt_operation.ts";
import { MemoryJournal } from "../../core/memory_journal.ts";
import { type Asked, powershellMachine } from "../powershell_machine.ts";

const ARGS = {
  session: "abc12",
  nameserver: "127.0.0.153",
  domains: ["cluster.local", "svc"],
};

function scopeOf(answer: (asked: Asked) => Json | Error) {
  const { machine, asked } = powershellMachine(answer);
  const journal = new MemoryJournal();
  const { signal } = new AbortController();
  const scope = Scope.root({ world: machine, journal, signal });
  return { scope, journal, asked, machine };
}

const done = () => ({ isOverruled: false });

Deno.test("a domain stands for all names below it, and for itself where it could be no first label", () => {
  assert.deepEqual(
    nrptNamespaces(["svc", "Cluster.Local", "10.in-addr.arpa", "svc"]),
    [
      ".svc",
      ".cluster.local",
      "cluster.local",
      ".10.in-addr.arpa",
      "10.in-addr.arpa",
    ],
  );
});

Deno.test("rules carry the session, and are removed by it from the journal alone", async () => {
  const { scope, journal, asked } = scopeOf(done);
  await nrptOperation.apply(
    { ...ARGS, suffix: "dev.svc.cluster.local" },
    scope,
    () => {},
  );
  assert.deepEqual(
    journal.records.flatMap((one) => one.type === "intent" ? [one.args] : []),
    [{ session: "abc12" }],
  );
  await scope.dispose();
  const comment = "ktctl abc12";
  assert.deepEqual(asked.map(({ input }) => input), [
    {
      comment,
      nameserver: "127.0.0.153",
      namespaces: [".cluster.local", "cluster.local", ".svc"],
      most: 50,
    },
    { device: "ktctl-abc12", suffix: "dev.svc.cluster.local" },
    { comment },
  ]);
  assert.ok(asked[0]?.cmdlets.includes("Add-DnsClientNrptRule"));
  assert.deepEqual(asked[1]?.cmdlets, ["Set-DnsClient"]);
  assert.deepEqual(asked[2]?.cmdlets, [
    "Get-DnsClientNrptRule",
    "Remove-DnsClientNrptRule",
    "Clear-DnsClientCache",
  ]);
  assert.match(nrptStep.undoCommand({ session: "abc12" }), /'ktctl abc12'/);
});

Deno.test("a group policy that overrules ours is told, and the adapter is left as it is", async () => {
  const { scope, asked } = scopeOf(() => ({ isOverruled: true }));
  await assert.rejects(
    nrptOperation.apply({ ...ARGS, suffix: "x" }, scope, () => {}),
    { code: "NRPT_OVERRULED" },
  );
  assert.equal(asked.length, 1);
});

Deno.test("a clean-up tells of rules only where there are some", async () => {
  const { signal } = new AbortController();
  for (const count of [0, 2]) {
    const { machine } = scopeOf(() => count);
    assert.equal(
      await nrptStep.isPresent?.({ session: "abc12" }, machine, signal),
      count > 0,
    );
  }
});

Deno.test("resolver.nrpt takes sessions, names and addresses, and nothing that could be more", () => {
  const takes = (more: object) =>
    v.safeParse(nrptOperation.args, { ...ARGS, ...more }).success;
  assert.ok(takes({}));
  for (
    const bad of [
      { session: "a'; Remove-Item" },
      { session: "a*" },
      { nameserver: "x" },
      { domains: [] },
      { domains: ["a'b"] },
      { suffix: "a b" },
      { comment: "x" },
    ]
  ) assert.ok(!takes(bad), JSON.stringify(bad));
});
