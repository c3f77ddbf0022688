import assert from "node:assert/strict";
import { parseForwardTarget } from "../../../../src/cluster/forward/forward_target.ts";

for (
  const [line, expected] of [
    ["web", { kind: "service", name: "web" }],
    ["svc/web 8080:80", {
      kind: "service",
      name: "web",
      local: 8080,
      port: 80,
    }],
    ["web 80", { kind: "service", name: "web", local: 80, port: 80 }],
    ["web :80", { kind: "service", name: "web", local: 0, port: 80 }],
    ["web 0:80", { kind: "service", name: "web", local: 0, port: 80 }],
    ["web 0", { kind: "service", name: "web", local: 0 }],
    ["web http", { kind: "service", name: "web", port: "http" }],
    ["web 8080:http", {
      kind: "service",
      name: "web",
      local: 8080,
      port: "http",
    }],
    ["pod/web-0.a 80", { kind: "pod", name: "web-0.a", local: 80, port: 80 }],
    ["Deployment/web", { kind: "deployment", name: "web" }],
    ["web:80", { kind: "address", host: "web", port: 80, local: 80 }],
    ["10.0.0.1:80 8080", {
      kind: "address",
      host: "10.0.0.1",
      port: 80,
      local: 8080,
    }],
    ["db.example.com:5432 15432:5432", {
      kind: "address",
      host: "db.example.com",
      port: 5432,
      local: 15432,
    }],
    ["db.example.com 5432", {
      kind: "address",
      host: "db.example.com",
      port: 5432,
      local: 5432,
    }],
    ["db.example.com :5432", {
      kind: "address",
      host: "db.example.com",
      port: 5432,
      local: 0,
    }],
    ["[fd00::1]:80 0", {
      kind: "address",
      host: "fd00::1",
      port: 80,
      local: 0,
    }],
    ["fd00::1 8080:80", {
      kind: "address",
      host: "fd00::1",
      port: 80,
      local: 8080,
    }],
  ] as const
) {
  Deno.test(`"forward ${line}" is understood`, () => {
    const [target, ports] = line.split(" ");
    assert.deepEqual(parseForwardTarget(target!, ports), expected);
  });
}

for (
  const line of [
    "cm/web 80",
    "constructor/web 80",
    "a/b/c 80",
    "pod/ 80",
    "web 70000",
    "web 80:",
    "web :",
    "web 80:0",
    "web http:80",
    "web 1:2:3",
    "web -1",
    "web:0",
    "web:70000",
    "web:http",
    "[web]:80",
    "[10.0.0.1]:80",
    "db.example.com",
    "db.example.com http",
    "db.example.com 0",
    "db:5432 1:2",
    "db:5432 http",
  ]
) {
  Deno.test(`"forward ${line}" is refused`, () => {
    const [target, ports] = line.split(" ");
    assert.throws(() => parseForwardTarget(target!, ports), {
      code: "FORWARD_INVALID",
      exitCode: 2,
    });
  });
}
