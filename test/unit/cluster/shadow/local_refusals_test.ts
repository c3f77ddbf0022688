import assert from "node:assert/strict";
import { LinkError } from "../../../../src/core/errors.ts";
import { LocalRefusals } from "../../../../src/cluster/shadow/local_refusals.ts";

Deno.test("a local port that refuses and a lack of files are told apart, each once a port", () => {
  const told: string[] = [];
  const refusals = new LocalRefusals({
    warn: (code, message) => told.push(`${code} ${message}`),
  });
  const refused = new LinkError("ECONNREFUSED", "refused");
  const exhausted = new LinkError("EMFILE", "connect EMFILE");
  for (const error of [refused, exhausted, refused, exhausted]) {
    refusals.tell({ podPort: 80, localPort: 8080 }, error);
  }
  refusals.tell({ podPort: 81, localPort: 8081 }, refused);
  assert.deepEqual(told.map((line) => line.split(":")[0]), [
    "LOCAL_PORT_REFUSED Cannot pass a connection to local port 8080",
    "LOCAL_FILES_EXHAUSTED Cannot pass a connection to local port 8080",
    "LOCAL_PORT_REFUSED Cannot pass a connection to local port 8081",
  ]);
  assert.match(told[1]!, /ulimit -n/);
});
