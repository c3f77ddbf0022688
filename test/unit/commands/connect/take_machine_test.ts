import assert from "node:assert/strict";
import { takeMachine } from "../../../../src/commands/connect/take_machine.ts";

Deno.test("one session has the machine; the next one, and who cannot take it, is told why", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const host = { journalDir: `${folder}/state/sessions` };
    const first = takeMachine(host);
    assert.throws(() => takeMachine(host), { code: "ALREADY_CONNECTED" });
    first[Symbol.dispose]();
    takeMachine(host)[Symbol.dispose]();

    await Deno.writeTextFile(`${folder}/file`, "");
    const nowhere = { journalDir: `${folder}/file/sessions` };
    const unwritable = { code: "JOURNAL_UNWRITABLE", exitCode: 4 };
    assert.throws(() => takeMachine(nowhere), unwritable);
    await Deno.remove(`${folder}/state/connect.lock`);
    await Deno.mkdir(`${folder}/state/connect.lock`);
    assert.throws(() => takeMachine(host), unwritable);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
