import assert from "node:assert/strict";
import { watchSilence } from "../../../../src/link/wire/silence.ts";

const SILENT_MS = 4_000;

/** Watches a counter that moves each `everyMs`, if at all; resolves with the milliseconds to its silence. */
function watch({ everyMs, patienceMs = 0 }: {
  everyMs?: number;
  patienceMs?: number;
}) {
  const began = performance.now();
  let count = 0;
  const moving = everyMs === undefined
    ? undefined
    : setInterval(() => count++, everyMs);
  const { promise, resolve } = Promise.withResolvers<number>();
  const silence = watchSilence(() => count, {
    silentMs: SILENT_MS,
    patienceMs: () => patienceMs,
    onSilence: () => resolve(performance.now() - began),
  });
  return {
    silence,
    silent: promise,
    [Symbol.dispose]() {
      clearInterval(moving);
      silence[Symbol.dispose]();
    },
  };
}

const wait = (ms: number) =>
  new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), ms));

Deno.test("who is in doubt has 2 s to send something; what comes at once came before", async () => {
  using watched = watch({});
  watched.silence.hurry({ isPatient: true });
  const ms = await watched.silent;
  // without the doubt it would be 4 s
  assert.ok(ms > 1_500 && ms < 3_500, `${ms} ms`);
});

Deno.test("who is in doubt and sends goes on to have its whole time", async () => {
  using watched = watch({ everyMs: 400 });
  watched.silence.hurry({ isPatient: true });
  assert.equal(
    await Promise.race([watched.silent, wait(2_700)]),
    undefined,
  );
});

Deno.test("a doubt leaves the time that what is on its way up needs, but not after a sleep", async () => {
  using patient = watch({ patienceMs: 6_000 });
  patient.silence.hurry({ isPatient: true });
  using slept = watch({ patienceMs: 6_000 });
  slept.silence.hurry({ isPatient: false });
  assert.equal(
    await Promise.race([
      patient.silent.then(() => "patient"),
      slept.silent.then(() => "slept"),
    ]),
    "slept",
  );
});
