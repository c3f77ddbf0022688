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
      "8.8.8.8 and 2a02::1, 2001:db8::/32, 2a02:8071:1:2::/64. [2a02::1]:443",
      "<address 4> and <address 1>, <address 2>/32, <address 3>/64. [<address 1>]:443",
    ],
    ["a network card", "02:42:ac:11:00:02 is up", "<address 1> is up"],
    [
      "domains that need no proxy",
      ".corp.acme.com,*.intra.acme.com,corp.acme.com,localhost",
      ".<host 1>,*.<host 2>,<host 1>,localhost",
    ],
    [
      "who is forbidden something",
      'User "jdoe" cannot list, arn:aws:iam::123456789012:user/jdoe cannot',
      'User "<user>" cannot list, <arn> cannot',
    ],
    ...[
      ["jane:S3cr!t-pw@proxy:3128", "<user>@proxy:3128"],
      ["http://jane:pa/ss#w0rd@proxy:3128", "http://<user>@proxy:3128"],
      ["http://jane:p@ssw0rd!x@proxy:3128", "http://<user>@proxy:3128"],
      ["HTTPS_PROXY=jane:a@b@proxy:3128", "HTTPS_PROXY=<user>@proxy:3128"],
    ].map(([text = "", expected = ""]) => [text, text, expected] as const),
    ...[
      ["refresh_token=", "abc.def"],
      ["client_secret=", "abc"],
      ["access_token=", "abc"],
      ["id_token: ", "abc"],
      ["AWS_SECRET_ACCESS_KEY=", "wJalr/XUt+nFE"],
      ["AWS_SESSION_TOKEN=", "x=="],
      ["--token ", "abcdef"],
      ["--client-secret ", "'two words'"],
      ["password=", '"two words"'],
      ["password ", '"two words"'],
      ['{"password": ', '"two \\" words"'],
      ['{\\"password\\":', '\\"two words\\"'],
      ["token ", "a1b2c3d4e5"],
      ["password=", '"torn off'],
    ].map(([key = "", value = ""]) =>
      [`${key}${value}`, `x ${key}${value}`, `x ${key}<secret>`] as const
    ),
    ...[
      "sha256~Xy_z-12345",
      "ghp_16C7e42F292c6912E7",
      "github_pat_11ABC_x",
      "glpat-abc_123",
      "k8s-aws-v1.aHR0cHM6Ly9zdHM",
      "ya29.a0AfH6SM-x_y",
      "AKIAIOSFODNN7EXAMPLE",
      "abcdef.0123456789abcdef",
    ].map((token) =>
      [token, `with ${token}, and`, "with <token>, and"] as const
    ),
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
    "no right to list the service account token Secrets",
    "pods 2 of 4, count/secrets 5 of 5, secrets: 3",
    "not enough for ktctl mesh: create secrets; get pods/proxy",
    'Secret "web-shadow" and the Secret kt-connect-shadow-daemon',
    "the credential plugin did not end",
    "denoland/deno:2.9.6@sha256:0123",
    "::1, fe80::1, ::ffff:10.0.0.1, 64:ff9b::, 12:30:01",
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

Deno.test("what is known is taken out as a word of its own, however it is written", () => {
  const prod = new Redactor([{ text: "prod", name: "context" }]);
  assert.equal(
    prod.redact("Prod, acme-prod, product"),
    "<context>, acme-<context>, product",
  );
});

Deno.test("a long text takes no longer than its length", () => {
  const started = performance.now();
  for (const part of ["a:", "token-", "a.", "1:", "@", '"', "password "]) {
    redactor().redact(part.repeat(1024 * 1024 / part.length));
  }
  // a quadratic one takes hours
  assert.ok(performance.now() - started < 60_000);
});
