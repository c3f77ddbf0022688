import type { Report, ReportEvent } from "../../src/core/report.ts";

/** No output: `onEvent` gets what there is to tell, warnings as well. */
export function quietReport(
  onEvent: (event: ReportEvent) => void = () => {},
): Report {
  return {
    event: onEvent,
    warn: (code, message) => onEvent({ event: "warning", code, message }),
    debug() {},
    step: (_name, work) => work(),
  };
}
