import assert from "node:assert/strict";
import fc from "fast-check";
import {
  parseExpose,
  routePorts,
} from "../../../../src/cluster/service/expose.ts";
import { UnsupportedError, UsageError } from "../../../../src/core/errors.ts";
import type { KubeObject } from "../../../../src/kube/kube_api.ts";

const service: KubeObject = {
  metadata: { name: "web" },
  spec: {
    ports: [
      { port: 80, targetPort: "http" },
      { port: 9000, targetPort: 8080, protocol: "TCP" },
      { port: 8080, targetPort: 9090 },
      { port: 53, targetPort: 53, protocol: "UDP" },
    ],
  },
};

Deno.test("--expose reads every list of valid ports back as it was", () => {
  const port = fc.integer({ min: 1, max: 65535 });
  const items = fc.uniqueArray(
    fc.record({ local: port, remote: port }, { noNullPrototype: true }),
    {
      selector: ({ remote }) => remote,
      minLength: 1,
    },
  );
  fc.assert(fc.property(items, (ports) => {
    const text = ports.map(({ local, remote }) =>
      local === remote ? `${local}` : `${local}:${remote}`
    ).join(", ");
    assert.deepEqual(parseExpose(text), ports);
  }));
});

for (
  const [text, reason] of [
    ["", /empty/],
    ["80,", /empty/],
    ["http", /neither a port/],
    ["80:90:100", /neither a port/],
    ["-1", /neither a port/],
    ["0", /between 1 and 65535/],
    ["80:65536", /between 1 and 65535/],
    ["80,81:80", /port 80 is named twice/],
  ] as const
) {
  Deno.test(`--expose "${text}" is refused with the reason`, () => {
    assert.throws(() => parseExpose(text), (error: UsageError) => {
      assert.ok(error instanceof UsageError);
      assert.equal(error.code, "EXPOSE_INVALID");
      assert.match(error.message, reason);
      return true;
    });
  });
}

function taken(expose: string): [number, number][] {
  return routePorts(service, parseExpose(expose))
    .filter(({ local }) => local !== undefined)
    .map(({ servicePort, local }) => [servicePort.port, local!]);
}

Deno.test("the number in --expose is the Service's port before it is a targetPort", () => {
  assert.deepEqual(taken("1234:8080"), [[8080, 1234]]);
});

Deno.test("a targetPort number is understood, with a note", () => {
  const notes: string[] = [];
  const routes = routePorts(
    service,
    parseExpose("9090"),
    (_code, note) => notes.push(note),
  );
  assert.deepEqual(routes.find(({ local }) => local)?.servicePort.port, 8080);
  assert.equal(notes.length, 1);
});

Deno.test("ports that are not exposed are given without a local port", () => {
  const routes = routePorts(service, parseExpose("80"));
  assert.deepEqual(routes.map(({ local }) => local), [
    80,
    undefined,
    undefined,
    undefined,
  ]);
});

Deno.test("a port that the Service does not have is refused with those it has", () => {
  assert.throws(() => taken("7"), (error: UsageError) => {
    assert.equal(error.code, "EXPOSE_UNKNOWN_PORT");
    assert.match(error.hint!, /80 \(targetPort http\).*53\/UDP/);
    return true;
  });
});

Deno.test("a UDP port is refused", () => {
  assert.throws(() => taken("53"), UnsupportedError);
});

Deno.test("one port of the Service named by both its numbers is refused", () => {
  assert.throws(() => taken("8080,9090"), UsageError);
});

/** As behind a load balancer that ends TLS. */
const twins: KubeObject = {
  metadata: { name: "web" },
  spec: {
    ports: [
      { port: 80, targetPort: "http" },
      { port: 443, targetPort: "http" },
      { port: 53, targetPort: "dns", protocol: "UDP" },
      { port: 5353, targetPort: "dns" },
    ],
  },
};

Deno.test("ports of one targetPort are refused two local ports, with what to write", () => {
  assert.throws(
    () => routePorts(twins, parseExpose("8080:80,8443:443")),
    (error: UsageError) => {
      assert.ok(error instanceof UsageError);
      assert.equal(error.code, "EXPOSE_INVALID");
      assert.match(error.message, /ports 80 and 443 .* targetPort http/);
      assert.match(error.hint!, /8080:80,8080:443/);
      return true;
    },
  );
});

Deno.test("a port that has the targetPort of an exposed one goes where that goes, with a note unless it is exposed itself", () => {
  for (const [expose, told] of [["8080:80", 1], ["8080:80,8080:443", 0]]) {
    const notes: string[] = [];
    const routes = routePorts(
      twins,
      parseExpose(String(expose)),
      (code, note) => notes.push(`${code} ${note}`),
    );
    assert.deepEqual(routes.map(({ local }) => local), [
      8080,
      8080,
      undefined,
      undefined,
    ]);
    assert.equal(notes.length, told);
    const text =
      /^TARGET_PORT_SHARED Port 443 .* localhost:8080 .* of port 80$/;
    for (const note of notes) assert.match(note, text);
  }
});

Deno.test("a UDP port does not come along with the TCP port of its targetPort", () => {
  const routes = routePorts(
    twins,
    parseExpose("5353"),
    () => assert.fail("nothing to note"),
  );
  assert.deepEqual(routes.map(({ local }) => local), [
    undefined,
    undefined,
    undefined,
    5353,
  ]);
});
