// What `ktctl status -w` takes for a change of this laptop's sessions.
import assert from "node:assert/strict";
import { changesOf } from "../../../../src/commands/status/changes_of.ts";
import { FileJournal } from "../../../../src/undo/journal.ts";
import { TempFolder } from "../../kube/temp_folder.ts";

/** Begins a session and ends it; each has to be told of. */
async function followOne(): Promise<void> {
  await using folder = await TempFolder.make();
  const journalDir = `${folder.path}/journals`;
  const over = new AbortController();
  const changes = changesOf({ journalDir, signal: over.signal });
  const seesOne = async () =>
    assert.equal((await changes.next()).value, "sessions");
  await seesOne(); // what there was before
  const journal = new FileJournal(journalDir, {
    ...{ type: "session", version: 1, session: "w1", pid: 1 },
    ...{ command: "exchange web", kubeconfig: null, context: "prod" },
    ...{ server: "https://127.0.0.1:1", namespace: "shop", startedAt: 1 },
  });
  await seesOne();
  journal.remove();
  journal.close();
  await seesOne();
  over.abort();
  await changes.next();
}

Deno.test("a session that begins or ends is a change", async () => {
  await followOne();
});

Deno.test("a session that begins or ends is a change where no file can be watched", async () => {
  const { watchFs } = Deno;
  Deno.watchFs = () => {
    throw new Error("No file descriptors available (os error 24)");
  };
  try {
    await followOne();
  } finally {
    Deno.watchFs = watchFs;
  }
});
