/**
 * Starts itself in the background, as ktctl does: `background_here.ts FOLDER MODE`. In the background it does what the
 * mode says. It tells how that went as JSON.
 */
const [first, second, ...rest] = Deno.args;

/** In the background no import is there to take time. */
async function inBackground(folder: string, mode: string): Promise<void> {
  if (mode === "dies") {
    for (let at = 0; at < 100; at++) console.error(`line ${at}`);
    return Deno.exit(3);
  }
  const hanging = setInterval(() => {}, 1_000);
  Deno.addSignalListener("SIGTERM", () => {
    Deno.writeTextFileSync(`${folder}/terminated`, "");
    clearInterval(hanging);
    Deno.exit(0);
  });
  const step = { event: "step", name: "x", state: "done", ms: 1 };
  console.log(JSON.stringify(step));
  await Promise.resolve();
}

async function inForeground(folder: string, mode: string): Promise<void> {
  if (mode === "unwatched") {
    Deno.watchFs = () => {
      throw new Error("No file descriptors available (os error 24)");
    };
  }
  const { startInBackground } = await import(
    "../../../../src/commands/background/start_in_background.ts"
  );
  const events: unknown[] = [];
  const report = {
    event(event: unknown) {
      events.push(event);
      throw new Error("cannot be told");
    },
  };
  const host = {
    journalDir: `${folder}/journals`,
    logDir: `${folder}/logs`,
    signal: new AbortController().signal,
    conclude() {},
  };
  try {
    await startInBackground(host as never, {
      command: "exchange web",
      argv: [folder, mode],
      report: report as never,
    });
  } catch (error) {
    const { code, message, details, hint } = error as Record<string, unknown>;
    console.log(JSON.stringify({ code, message, details, hint, events }));
  }
}

if (first === "__background") await inBackground(rest[0]!, rest[1]!);
else await inForeground(first!, second!);
