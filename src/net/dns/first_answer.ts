import { RCODE, readHeader } from "../../link/dns/dns_header.ts";
import { LinkError } from "../../core/errors.ts";
import type { FoundAnswer } from "./dns_cache.ts";

/** What a source says. */
export interface SourceAnswer {
  readonly answer: Uint8Array;
  /** Nobody else is to be asked, whatever it says. @default false */
  readonly isFinal?: boolean;
}

/**
 * Asks one after the other until an answer has records, or is final. Without one, "no such record" goes
 * before "no such name", which goes before a failure; but who could not be asked may have had records, so
 * that then only an answer with records counts, and is not to be kept.
 *
 * @throws what the last failure was.
 */
export async function firstAnswer(
  sources: readonly (() => Promise<SourceAnswer>)[],
): Promise<FoundAnswer> {
  let empty: Uint8Array | undefined;
  let failedAnswer: Uint8Array | undefined;
  let failure: unknown;
  for (const ask of sources) {
    let answer: Uint8Array, isFinal: boolean | undefined;
    try {
      ({ answer, isFinal } = await ask());
    } catch (error) {
      failure = error;
      continue;
    }
    const header = readHeader(answer);
    if (header?.rcode === RCODE.NOERROR) {
      const cacheable = failure === undefined && failedAnswer === undefined;
      if (header.counts[1] > 0 || isFinal) return { answer, cacheable };
      if (readHeader(empty ?? answer)?.rcode !== RCODE.NOERROR) empty = answer;
      empty ??= answer;
    } else if (header?.rcode === RCODE.NXDOMAIN) empty ??= answer;
    else failedAnswer = answer;
  }
  if (failure !== undefined) throw failure;
  const answer = failedAnswer ?? empty;
  if (answer !== undefined) return { answer, cacheable: answer === empty };
  throw new LinkError("DNS_NO_SERVER", "There is no name server to ask");
}
