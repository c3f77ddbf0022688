// Which sessions of a laptop `leave` and `keep` mean.
import assert from "node:assert/strict";
import { chooseSessions } from "../../../../src/commands/running/choose_sessions.ts";
import { FileJournal } from "../../../../src/undo/journal.ts";
import { TempFolder } from "../../kube/temp_folder.ts";

const SESSIONS = [
  ["w1", "exchange web", "prod", "shop"],
  ["w2", "mesh web", "staging", "shop"],
  ["o1", "exchange orders", "prod", "shop"],
  ["o2", "exchange orders", "staging", "shop"],
  ["o3", "exchange orders", "staging", "shop-eu"],
] as const;

/** The ids of those that are meant, while all of these sessions run. */
async function chosen(
  name: string | undefined,
  options: Parameters<typeof chooseSessions>[2],
): Promise<string[]> {
  await using folder = await TempFolder.make();
  const journalDir = folder.path;
  const journals = SESSIONS.map(([session, command, context, namespace]) =>
    new FileJournal(journalDir, {
      ...{ type: "session", version: 1, pid: 1, kubeconfig: null },
      ...{ session, command, context, namespace },
      ...{ server: "https://127.0.0.1:1", startedAt: 1 },
    })
  );
  try {
    return chooseSessions({ journalDir }, name, options)
      .map(({ session }) => session).toSorted();
  } finally {
    for (const journal of journals) journal.close();
  }
}

Deno.test("--all without a name means all sessions, with one all that are called so", async () => {
  assert.equal((await chosen(undefined, { all: true })).length, 5);
  assert.deepEqual(await chosen("web", { all: true }), ["w1", "w2"]);
});

Deno.test("a name that no session has ends none, with --all neither", async () => {
  await assert.rejects(chosen("typo", { all: true }), {
    code: "SESSION_NOT_FOUND",
    message: 'No session "typo" runs on this laptop',
  });
});

Deno.test("--context and -n each leave out the sessions of others", async () => {
  const context = "staging";
  const options = { context, namespace: "shop" };
  assert.deepEqual(await chosen("orders", options), ["o2"]);
  assert.deepEqual(await chosen("orders", { context, all: true }), [
    "o2",
    "o3",
  ]);
  assert.deepEqual(await chosen("web", { context }), ["w2"]);
  // as for kubectl, an empty one is none
  const none = { context, namespace: "" };
  assert.deepEqual(await chosen("web", none), ["w2"]);
  await assert.rejects(chosen("web", { context: "dev", all: true }), {
    code: "SESSION_NOT_FOUND",
    message: 'No session "web" runs on this laptop, in context "dev"',
  });
});

Deno.test("several without --all are none", async () => {
  await assert.rejects(chosen("web", {}), { code: "SESSION_AMBIGUOUS" });
});
