/** A client and a helper in one process, over pipes, with operations that write into a list. */
import { existsSync } from "node:fs";
import * as v from "valibot";
import {
  Cancelled,
  ConflictError,
  UnsupportedError,
} from "../../../src/core/errors.ts";
import { exec } from "../../../src/core/exec.ts";
import type { Step } from "../../../src/undo/step.ts";
import { RootHelperClient } from "../../../src/helper/root_helper_client.ts";
import type { Machine } from "../../../src/helper/operations/operation.ts";
import type { AnyOperation } from "../../../src/helper/operations/operations.ts";
import { serveHelper } from "../../../src/helper/serve_helper.ts";

/** What the fake machine has. */
export class FakeWorld {
  readonly things: string[] = [];
  readonly log: string[] = [];
  /** Reverts of these fail. */
  readonly stuck = new Set<string>();
  /** Ends the background task of what is open. */
  breakDown = (_error: unknown) => {};
  /** Lets a `slow` operation go on. */
  goOn = () => {};
  onSlow = () => {};
  onThing = () => {};
  emit = (_event: string) => {};

  readonly step: Step<{ name: string }, null, null, Machine> = {
    id: "fake.thing",
    describe: ({ name }) => `thing ${name}`,
    undoCommand: ({ name }) => `rm ${name}`,
    apply: async ({ name }) => {
      this.log.push(`+${name}`);
      this.things.push(name);
      this.onThing();
      if (name === "slow") {
        await new Promise<void>((resolve) => {
          this.goOn = resolve;
          this.onSlow();
        });
      }
      if (name === "taken") throw new ConflictError("TAKEN", "It is taken");
      if (name === "defect") throw new RangeError("boom");
      return null;
    },
    revert: ({ name }) => {
      if (this.stuck.has(name)) {
        throw new UnsupportedError("STUCK", "It is stuck");
      }
      const at = this.things.indexOf(name);
      if (at !== -1) this.things.splice(at, 1);
      this.log.push(`-${name}`);
      return Promise.resolve();
    },
  };

  /** Resolves when the thing is there. */
  async has(name: string): Promise<void> {
    while (!this.things.includes(name)) {
      await new Promise<void>((resolve) => this.onThing = resolve);
    }
  }

  readonly operations: readonly AnyOperation[] = [{
    name: "thing.open",
    args: v.strictObject({
      name: v.pipe(v.string(), v.regex(/^[a-z]{1,9}$/)),
    }),
    steps: [this.step],
    apply: async ({ name }, scope, events) => {
      events({ before: name });
      await scope.run(this.step, { name }, null);
      const broken = Promise.withResolvers<void>();
      this.breakDown = broken.reject;
      this.emit = (event) => events(event);
      scope.background("task", (signal) => {
        signal.addEventListener("abort", () => broken.resolve());
        return broken.promise;
      });
      return { made: name };
    },
  }];
}

export function serve(
  world: FakeWorld,
  folder: string,
): {
  stdin: WritableStream<Uint8Array>;
  stdout: ReadableStream<Uint8Array>;
  code: Promise<number>;
  terminate: (reason?: unknown) => void;
  unheard: string[];
} {
  // a pipe of the system takes bytes that nobody reads
  const pipe = () =>
    new TransformStream<Uint8Array, Uint8Array>({}, { highWaterMark: 100 }, {
      highWaterMark: 100,
    });
  const [input, output] = [pipe(), pipe()];
  const ending = new AbortController();
  const unheard: string[] = [];
  const code = serveHelper({
    input: input.readable,
    output: output.writable,
    machine: { exec, root: "" },
    journalFolder: folder,
    signal: ending.signal,
    operations: world.operations,
    onUnheard: (lines) => unheard.push(...lines),
  });
  return {
    stdin: input.writable,
    stdout: output.readable,
    code,
    terminate: (reason = new Cancelled()) => ending.abort(reason),
    unheard,
  };
}

/** A client with its helper, ready. */
export async function startPair(
  world: FakeWorld,
  folder: string,
  options: { undoMs?: number } = {},
): Promise<ReturnType<typeof serve> & { client: RootHelperClient }> {
  const served = serve(world, folder);
  const client = new RootHelperClient(
    { ...served, ended: served.code },
    options,
  );
  await client.ready();
  return { ...served, client };
}

export class TemporaryFolder implements Disposable {
  readonly path = `${Deno.makeTempDirSync()}/ktctl`;

  get journals(): string[] {
    if (!existsSync(this.path)) return [];
    return [...Deno.readDirSync(this.path)].map(({ name }) => name);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path.slice(0, -"/ktctl".length), { recursive: true });
  }
}
