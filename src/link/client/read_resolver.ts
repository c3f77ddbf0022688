/** What the agent says of its pod's resolv.conf: the pod may be anybody's. */
import * as v from "valibot";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import type { ResolvConf } from "../wire/resolv_conf.ts";
import { nameserverAddress } from "../dns/parse_resolv_conf.ts";
import { LinkError } from "../../core/errors.ts";
import { readAll } from "../../core/read_all.ts";
import { readJson } from "../../core/read_json.ts";

const MAX_BYTES = 64 * 1024;

const DOMAIN = /^(?!.*\.\.)[a-z0-9_]([-a-z0-9_.]{0,251}[a-z0-9_])?$/;

/** As many as any system takes, and more. */
const texts = v.pipe(v.array(v.string()), v.maxLength(256));

/** What is no name or no address is passed over, as it is in the file. */
const resolver: v.GenericSchema<unknown, ResolvConf> = v.object({
  nameservers: v.pipe(
    texts,
    v.transform((all) => all.filter(isNameserver)),
  ),
  search: v.pipe(
    texts,
    v.transform((all) => all.filter((domain) => DOMAIN.test(domain))),
  ),
  ndots: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(15)),
});

function isNameserver(text: string): boolean {
  return isIP(nameserverAddress(text).host.replace(/%.*/, "")) !== 0;
}

/** Throws `LinkError` (`AGENT_ANSWER`, `ANSWER_TOO_LONG`). */
export async function readResolver(
  stream: Duplex,
  timeoutMs: number,
): Promise<ResolvConf> {
  const late = AbortSignal.timeout(timeoutMs);
  const text = await readAll(stream, { signal: late, maxBytes: MAX_BYTES })
    .catch((error) => {
      if (late.aborted) throw unreadable(`nothing in ${timeoutMs / 1000} s`);
      throw error;
    });
  const read = readJson(text, resolver, { maxChars: MAX_BYTES });
  if (read.reason !== undefined) throw unreadable(read.reason);
  return read.value;
}

function unreadable(reason: string): LinkError {
  return new LinkError(
    "AGENT_ANSWER",
    `Cannot read what the agent says of its name servers: ${reason}`,
    { hint: "Look at the Shadow Pod: it may not be what its name says." },
  );
}
