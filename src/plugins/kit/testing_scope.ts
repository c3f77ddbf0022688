import type { Journal, JournalRecord } from "../../undo/journal.ts";
import { Scope } from "../../undo/scope.ts";
import type { World } from "../../kube/world.ts";

/** A scope for the conformance kits, with what there is to see of it. */
export interface TestingScope {
  readonly scope: Scope<World>;
  readonly records: readonly JournalRecord[];
  readonly abort: () => void;
}

/** Its journal is kept in memory; aborted at the record number `abortAt`. */
export function openTestingScope(
  world: World,
  abortAt = Infinity,
): TestingScope {
  const records: JournalRecord[] = [];
  const controller = new AbortController();
  const abort = () =>
    controller.abort(new DOMException("aborted by the kit", "AbortError"));
  const journal: Journal = {
    append(record) {
      records.push(record);
      if (records.length === abortAt) abort();
    },
    remove() {},
    close() {},
  };
  const scope = Scope.root<World>({
    world,
    journal,
    signal: controller.signal,
  });
  return { scope, records, abort };
}
