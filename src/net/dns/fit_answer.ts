import { viewOf } from "../../link/dns/dns_header.ts";
import { readQuestion, TYPE } from "../../link/dns/read_question.ts";
import { readRecords } from "../../link/dns/read_records.ts";

const TRUNCATED = 0x0200;

/**
 * An answer that is no longer than `maxBytes`: as many records of the answer section as fit, and the
 * mark to ask again over TCP. Some records are more use than none to a resolver that does not.
 */
export function fitAnswer(answer: Uint8Array, maxBytes: number): Uint8Array {
  if (answer.length <= maxBytes) return answer;
  const records = readRecords(answer) ?? [];
  const opt = records.find((record) => record.type === TYPE.OPT);
  const tail = opt === undefined
    ? new Uint8Array(0)
    : answer.subarray(opt.start, opt.end);
  let end = readQuestion(answer)?.end ?? 12;
  let count = 0;
  // records point back only, so that the first ones can stand alone
  for (const record of records) {
    if (record.section !== "answer" || record.end + tail.length > maxBytes) {
      break;
    }
    end = record.end;
    count++;
  }
  const fitted = new Uint8Array(end + tail.length);
  fitted.set(answer.subarray(0, end));
  fitted.set(tail, end);
  const view = viewOf(fitted);
  const total = view.getUint16(6);
  // what stands behind the answers may be left out in silence, unless it is all that there is
  if (count < total || total === 0) {
    view.setUint16(2, view.getUint16(2) | TRUNCATED);
  }
  view.setUint16(6, count);
  view.setUint16(8, 0);
  view.setUint16(10, opt === undefined ? 0 : 1);
  return fitted;
}
