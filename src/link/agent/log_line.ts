import { writeSync } from "node:fs";
import process from "node:process";
import { terminalText } from "../../core/terminal_text.ts";

/** One line in the pod's log. */
export function logLine(text: string): void {
  try {
    // Not process.stderr.write: where nobody reads the log any more, its error comes as an event,
    // which would be logged in turn, without end. Noticed by: "an agent whose log nobody reads rests".
    // Strangers' words are in some, and kubectl logs shows them raw.
    writeSync(
      process.stderr.fd,
      `${new Date().toISOString()} ${terminalText(text)}\n`,
    );
  } catch {
    // Serving goes on without a log.
  }
}
