// The set-up of an exchange is cancelled at each record of its journal: between the intent and the
// change, between the change and the next. It leaves nothing behind.
import assert from "node:assert/strict";
import { quietReport } from "../fakes/quiet_report.ts";
import { openTestCluster } from "./cluster.ts";
import { Laptop, untouched } from "./laptop.ts";
import { createProgram } from "../../src/cli/program.ts";
import type { CommandHost } from "../../src/commands/session/command_host.ts";
import type { Host } from "../../src/commands/session/host.ts";
import { Cancelled } from "../../src/core/errors.ts";
import { FileJournal, type JournalRecord } from "../../src/undo/journal.ts";
import { builtinRegistry } from "../../src/plugins/builtin.ts";

/** Calls back after each record that a session writes. */
function watchRecords(onRecord: (record: JournalRecord) => void): Disposable {
  const { append } = FileJournal.prototype;
  FileJournal.prototype.append = function (record) {
    append.call(this, record);
    onRecord(record);
  };
  return {
    [Symbol.dispose]: () => void (FileJournal.prototype.append = append),
  };
}

Deno.test("an exchange cancelled at any record of its journal leaves nothing behind", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  const args = [
    "exchange",
    "web",
    `--expose=${laptop.demo.port}:80`,
    `--namespace=${namespace.name}`,
    `--kubeconfig=${cluster.kubeconfig}`,
  ];

  /** Whether the exchange was ready before its record number `at`. */
  const cancelAt = async (at: number): Promise<boolean> => {
    const controller = new AbortController();
    let isReady = false;
    const host: Host = {
      registry: () => Promise.resolve(builtinRegistry()),
      env: () => undefined,
      signal: controller.signal,
      journalDir: `${laptop.stateHome}/ktctl/sessions`,
      logDir: `${laptop.stateHome}/ktctl/logs`,
      pluginDir: `${laptop.dataHome}/ktctl/plugins`,
      configDir: `${laptop.dataHome}/ktctl/config`,
      trustDir: `${laptop.dataHome}/ktctl/trusted`,
      settings: () => Promise.resolve({ layers: [] }),
      machineRoot: "",
      report: () =>
        quietReport(({ event }) => {
          if (event !== "ready") return;
          isReady = true;
          controller.abort(new Cancelled("enough"));
        }),
      end() {},
      observe: () => ({ [Symbol.dispose]() {} }),
      onImpatience() {},
      conclude() {},
      user: "tester",
    };
    const lazy: CommandHost = {
      plugins: (verb) => Promise.resolve(builtinRegistry().listings(verb)),
      open: () => Promise.resolve(host),
    };
    let count = 0;
    using _watching = watchRecords(() => {
      if (++count === at) controller.abort(new Cancelled(`record ${at}`));
    });
    const program = await createProgram(lazy, args, { out() {} });
    const error = await program.parseAsync(args, { from: "user" }).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (!isReady) assert.ok(error instanceof Cancelled, String(error));
    else assert.equal(error, undefined);
    return isReady;
  };

  let at = 0;
  for (let isReady = false; !isReady;) {
    isReady = await cancelAt(++at);
    await untouched(namespace, before);
    assert.deepEqual(laptop.journals(), [], `record ${at}`);
  }
  console.log(`${at - 1} records before ready`);
  assert.ok(at > 8, `only ${at - 1} records before ready`);
});
