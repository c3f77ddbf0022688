/**
 * A session whose changes are files, as `config` says; run where its disk is. Says at its end what
 * happened. Each change is journalled with some 200 bytes of arguments.
 */
import { type KtctlError, messageOf } from "../../src/core/errors.ts";
import { FileJournal, openDeadJournals } from "../../src/undo/journal.ts";
import { revertJournal } from "../../src/undo/revert_journal.ts";
import { Reverter } from "../../src/undo/reverter.ts";
import { Scope } from "../../src/undo/scope.ts";
import type { Step } from "../../src/undo/step.ts";

export interface JournalSession {
  /** Of the journals. */
  readonly dir: string;
  /** Where the changes are. */
  readonly changes: string;
  /** Before it ends it asks for a line on its input. */
  readonly does: "start" | "start and die" | "start and end" | "sweep";
  /** How many changes it makes, at most. */
  readonly count?: number;
}

export interface SessionSaid {
  readonly error?: { code?: string; message: string; hint?: string };
  readonly cleanup?: string;
  /** Journals that could not be read. */
  readonly unreadable: string[];
  readonly reverted: string[];
}

type Args = { path: string; padding: string };
const file: Step<Args, null, void, null> = {
  id: "file",
  describe: ({ path }) => path,
  undoCommand: ({ path }) => `rm ${path}`,
  apply: ({ path }) => Deno.writeTextFile(path, "there"),
  async revert({ path }) {
    await Deno.remove(path);
  },
  isPresent: ({ path }) =>
    Deno.stat(path).then(() => true, (): boolean => false),
};

const config: JournalSession = JSON.parse(Deno.args[0]!);
const said: { -readonly [K in keyof SessionSaid]: SessionSaid[K] } = {
  unreadable: [],
  reverted: [],
};
try {
  if (config.does === "sweep") await sweep();
  else await start();
} catch (error) {
  const { code, hint } = error as KtctlError;
  said.error = {
    message: messageOf(error),
    ...(code ? { code } : {}),
    ...(hint ? { hint } : {}),
  };
}
console.log(JSON.stringify(said));
Deno.exit(0);

async function start(): Promise<void> {
  const { dir, changes, does, count = 200 } = config;
  const journal = new FileJournal(dir, {
    type: "session",
    version: 1,
    session: crypto.randomUUID(),
    pid: Deno.pid,
    command: "exchange web",
    kubeconfig: null,
    context: "",
    server: "",
    namespace: "",
    startedAt: 1,
  });
  const signal = new AbortController().signal;
  const scope = Scope.root({ world: null, journal, signal });
  const padding = "x".repeat(100);
  try {
    for (let n = 0; n < count; n++) {
      await scope.run(file, { path: `${changes}/${n}`, padding }, null);
    }
  } catch (error) {
    const { code, message, hint } = error as KtctlError;
    said.error = { code, message, ...(hint ? { hint } : {}) };
  }
  console.log("made");
  await Deno.stdin.read(new Uint8Array(1));
  if (does === "start and die") Deno.kill(Deno.pid, "SIGKILL");
  try {
    await scope.dispose();
    journal.remove();
  } catch (error) {
    said.cleanup = messageOf(error);
  }
}

async function sweep(): Promise<void> {
  const told = (path: string, reason: string, hint: string) =>
    said.unreadable.push(`${path}: ${reason}. ${hint}`);
  for (const journal of openDeadJournals(config.dir, told)) {
    using dead = journal;
    const left = await revertJournal(dead, {
      steps: new Map([[file.id, file]]),
      world: null,
      reverter: new Reverter(null),
      onOutcome: (outcome) => {
        if (outcome.state === "reverted") {
          said.reverted.push(file.describe(outcome.args as Args));
        }
      },
    });
    if (left === 0) dead.remove();
  }
}
