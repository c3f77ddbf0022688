/** What the operations on resolvers take from a process that is not trusted. */
import { isIP } from "node:net";
import * as v from "valibot";

export const address = v.pipe(
  v.string(),
  v.check((text) => isIP(text) !== 0, "must be an address"),
);

/** `svc`, `cluster.local`, `_tcp.example.com`; neither empty nor anything that a file name or a line could be made of. */
export const domain = v.pipe(
  v.string(),
  v.maxLength(253),
  v.regex(
    /^(?!.*\.\.)[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/i,
    "must be a domain name",
  ),
);

/** The mark of one session's lines in a file. */
export const fileMark = v.pipe(v.string(), v.regex(/^[a-z0-9]{1,32}$/));

export const domains = v.pipe(v.array(domain), v.maxLength(4096));

export const deviceName = v.pipe(
  v.string(),
  v.regex(/^[a-z][a-z0-9_-]{0,14}$/i, "must be the name of a device"),
);

export const port = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(1),
  v.maxValue(65535),
);
