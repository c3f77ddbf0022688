/** Tells people of a check and that all is ready, as ktctl does. */
import { HumanReport } from "../../../src/cli/report_human.ts";
import { writeAll } from "../../../src/cli/write_all.ts";

const report = new HumanReport({
  out: (text) => writeAll(Deno.stdout, text),
  err: (text) => writeAll(Deno.stderr, text),
  debug: false,
  live: false,
});
report.event({
  event: "check",
  name: "x",
  title: "X",
  state: "good",
  message: "x",
});
report.event({ event: "ready", message: "Ready." });
report.warn("ODD", "This is odd");
