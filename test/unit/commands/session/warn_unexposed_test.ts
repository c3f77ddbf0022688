import assert from "node:assert/strict";
import {
  parseExpose,
  routePorts,
} from "../../../../src/cluster/service/expose.ts";
import { warnUnexposed } from "../../../../src/commands/session/warn_unexposed.ts";

const service = {
  metadata: { name: "web" },
  spec: {
    selector: { app: "web" },
    ports: [{ port: 80 }, { port: 9000 }, { port: 443, targetPort: 80 }],
  },
};

function warned(
  routing: { fallback?: boolean; labels?: Record<string, string> },
  { takesAll = false, expose = "80" } = {},
): string[] {
  const told: string[] = [];
  warnUnexposed({ warn: (code, text) => told.push(`${code} ${text}`) }, {
    target: { service },
    routing: { fallback: false, ...routing },
    takesAll,
    routes: routePorts(service, parseExpose(expose)),
  });
  return told;
}

const AMONG = { labels: { app: "web", version: "demo" } };

Deno.test("a port that is not exposed is told of where the Shadow Pod alone is behind it, or is beside the original pods", () => {
  const [alone, ...more] = warned({}, { takesAll: true });
  assert.match(alone!, /^PORTS_NOT_EXPOSED No answer on port 9000 /);
  const [among, ...others] = warned(AMONG);
  assert.match(among!, /^PORTS_NOT_EXPOSED .* refuses .* on port 9000,/);
  assert.deepEqual([...more, ...others], []);
});

Deno.test("nothing is told of ports that still reach the original, or of none", () => {
  assert.deepEqual(warned({ fallback: true }, { takesAll: true }), []);
  assert.deepEqual(warned({ labels: { app: "other" } }), []);
  assert.deepEqual(warned({}), []);
  assert.deepEqual(warned(AMONG, { expose: "80,9000" }), []);
});
