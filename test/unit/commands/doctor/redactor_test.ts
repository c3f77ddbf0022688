import assert from "node:assert/strict";
import { Redactor } from "../../../../src/commands/doctor/redactor.ts";

const redactor = () =>
  new Redactor([
    { text: "https://10.1.2.3:6443", name: "server" },
    { text: "jane", name: "user" },
    { text: "/home/jane", name: "home" },
    { text: "a", name: "too short to be replaced everywhere" },
  ]);

for (
  const [title, text, expected] of [
    ["what is known", "jane at https://10.1.2.3:6443", "<user> at <server>"],
    ["the longer of two", "/home/jane/.kube", "<home>/.kube"],
    [
      "a certificate",
      "x -----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE----- y",
      "x <certificate or key> y",
    ],
    [
      "a key that was cut off",
      "-----BEGIN PRIVATE KEY-----\nMIIB",
      "<certificate or key>",
    ],
    [
      "a token",
      "sent eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrIn0.c2ln",
      "sent <token>",
    ],
    [
      "a header",
      "Authorization: Bearer abcdef123456",
      "Authorization: Bearer <token>",
    ],
    ["a password", "password=hunter2, next", "password=<secret>, next"],
    [
      "who speaks to a proxy",
      "http://me:pw@proxy:3128",
      "http://<user>@proxy:3128",
    ],
    ["a mail address", "ask ops@corp.example", "ask <address>"],
    [
      "names of hosts, each by one placeholder",
      "db.corp.example, api.corp.example, db.corp.example",
      "<host 1>, <host 2>, <host 1>",
    ],
    [
      "public addresses",
      "8.8.8.8 and 2001:db8::1",
      "<address 1> and <address 2>",
    ],
  ] as const
) {
  Deno.test(`${title}: taken out`, () => {
    assert.equal(redactor().redact(text), expected);
  });
}

for (
  const text of [
    "10.96.0.0/12 overlaps 192.168.1.0/24 on wg0",
    "/etc/resolv.conf",
    "Kubernetes v1.37.2, denoland/deno:2.9.6",
    "2026-11-29T22:23:01.220Z",
    "fd00:10:96::/108",
    "metadata of networking.k8s.io/v1",
    "kubernetes.default.svc.cluster.local",
  ]
) {
  Deno.test(`${text}: stays`, () => {
    assert.equal(redactor().redact(text), text);
  });
}

Deno.test("all texts of an object are looked at, and the rest stays", () => {
  assert.deepEqual(
    redactor().redactAll({ a: ["jane", 1, null], b: { c: "of jane" } }),
    { a: ["<user>", 1, null], b: { c: "of <user>" } },
  );
});
