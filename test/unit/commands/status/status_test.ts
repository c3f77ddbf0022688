// What `ktctl status` shows of this laptop.
import assert from "node:assert/strict";
import { HumanReport } from "../../../../src/cli/report_human.ts";
import { status } from "../../../../src/commands/status/status.ts";
import { FileJournal } from "../../../../src/undo/journal.ts";
import { TempFolder } from "../../kube/temp_folder.ts";

Deno.test("who watches is told that the last session has ended", async () => {
  await using folder = await TempFolder.make();
  const journalDir = `${folder.path}/journals`;
  const journal = new FileJournal(journalDir, {
    ...{ type: "session", version: 1, session: "w1", pid: 1 },
    ...{ command: "exchange web", kubeconfig: null, context: "prod" },
    ...{ server: "https://127.0.0.1:1", namespace: "shop", startedAt: 1 },
  });
  const over = new AbortController();
  let said = "";
  let isListed = false;
  const out = (text: string) => {
    said += text;
    if (text.includes("exchange") && !isListed) {
      isListed = true;
      journal.remove();
      journal.close();
    }
    if (text.includes("No session runs")) over.abort();
  };
  const report = new HumanReport({ out, err: out, debug: false, live: false });
  const host = {
    journalDir,
    signal: AbortSignal.any([over.signal, AbortSignal.timeout(20_000)]),
    report: () => report,
    conclude() {},
  };
  await status(host as never, { watch: true, allNamespaces: false } as never);
  assert.match(
    said,
    /^VERB .*\nexchange .*\nNo session runs on this laptop\n$/,
  );
});
