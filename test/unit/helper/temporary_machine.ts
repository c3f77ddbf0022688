import { exec, type ExecResult } from "../../../src/core/exec.ts";
import type { JournalRecord } from "../../../src/undo/journal.ts";
import type { Json } from "../../../src/core/json.ts";
import { Scope } from "../../../src/undo/scope.ts";
import type {
  Machine,
  Operation,
} from "../../../src/helper/operations/operation.ts";
import { MemoryJournal } from "../core/memory_journal.ts";

/** A machine whose file system is a folder, and the scope of a helper on it. */
export class TemporaryMachine implements AsyncDisposable {
  readonly machine: Machine;
  readonly scope: Scope<Machine>;
  readonly journal: MemoryJournal;

  constructor(fakeExec?: (words: readonly string[]) => ExecResult) {
    const root = Deno.makeTempDirSync();
    Deno.mkdirSync(`${root}/etc`);
    this.machine = {
      root,
      exec: fakeExec === undefined
        ? exec
        : (command, args) => Promise.resolve(fakeExec([command, ...args])),
    };
    this.journal = new MemoryJournal();
    this.scope = Scope.root({
      world: this.machine,
      journal: this.journal,
      signal: new AbortController().signal,
    });
  }

  path(name: string): string {
    return `${this.machine.root}/etc/${name}`;
  }

  read(name: string): string | undefined {
    try {
      return new TextDecoder("latin1").decode(
        Deno.readFileSync(this.path(name)),
      );
    } catch {
      return undefined;
    }
  }

  write(name: string, text: string): void {
    Deno.writeTextFileSync(this.path(name), text);
  }

  /** What the next helper does after the death of this one: it has the journal, and nothing else. */
  async sweep<A>(operation: Operation<A, unknown>): Promise<void> {
    const lines: JournalRecord[] = JSON.parse(
      JSON.stringify(this.journal.records),
    );
    for (const record of lines.reverse()) {
      if (record.type !== "intent") continue;
      const step = operation.steps.find((one) => one.id === record.step);
      await step?.revert(
        record.args as Json,
        this.machine,
        new AbortController().signal,
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.scope.dispose();
    Deno.removeSync(this.machine.root, { recursive: true });
  }
}
