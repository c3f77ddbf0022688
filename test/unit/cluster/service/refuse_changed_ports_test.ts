import assert from "node:assert/strict";
import {
  portChanges,
  refuseChangedPorts,
} from "../../../../src/cluster/service/refuse_changed_ports.ts";
import type { ServicePort } from "../../../../src/cluster/service/expose.ts";
import { own } from "../leftovers.ts";

const http = { name: "http", port: 80, targetPort: 8080, protocol: "TCP" };
const echo = { name: "echo", port: 90, targetPort: "echo", protocol: "TCP" };

for (
  const [claim, after, changes] of [
    ["their order", [echo, http], []],
    ["another targetPort", [{ ...http, targetPort: 9090 }, echo], [
      "port 80 leads to 9090 in place of 8080",
    ]],
    ["another named targetPort", [http, { ...echo, targetPort: "new" }], [
      "port 90 leads to new in place of echo",
    ]],
    ["another name", [{ ...http, name: "web" }, echo], [
      'port 80 is called "web" in place of "http"',
    ]],
    ["another number", [{ ...http, port: 81 }, echo], [
      "port 80 is gone",
      "port 81 is new",
    ]],
    ["one more, by UDP", [http, echo, { ...http, protocol: "UDP" }], [
      "port 80/UDP is new",
    ]],
  ] as [string, ServicePort[], string[]][]
) {
  Deno.test(`changed ports of a Service: ${claim}`, () => {
    assert.deepEqual(portChanges([http, echo], after), changes);
  });
}

Deno.test("what the API server fills in is no change of ports, nor is a node port", () => {
  const service = own("Service", "web", {
    ports: [{ ...http, nodePort: 30080, appProtocol: "http" }, { port: 70 }],
  });
  const plain = { port: 70, targetPort: 70, protocol: "TCP" };
  refuseChangedPorts(service, [http, plain]);
  assert.throws(() => refuseChangedPorts(service, [http]), {
    code: "SERVICE_PORTS_CHANGED",
    exitCode: 7,
    message: /port 70 is new/,
  });
});
