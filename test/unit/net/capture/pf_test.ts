// What of macOS's pf can be proven on any system: texts, numbers and the order of commands.
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import * as v from "valibot";
import { UnsupportedError } from "../../../../src/core/errors.ts";
import {
  openRedirectOperation,
  redirectDestinationOperation,
} from "../../../../src/helper/operations/redirect_operations.ts";
import type { Scope } from "../../../../src/undo/scope.ts";
import type { Machine } from "../../../../src/helper/operations/operation.ts";
import { pfAnchorStep } from "../../../../src/net/capture/pf_anchor.ts";
import { PfDestinations } from "../../../../src/net/capture/pf_destinations.ts";
import {
  DIOCNATLOOK,
  NATLOOK_BYTES,
  packNatlook,
  pfQuerySchema,
  unpackNatlook,
} from "../../../../src/net/capture/pf_natlook.ts";
import {
  pfReferenceStep,
  pfToken,
  startPf,
} from "../../../../src/net/capture/pf_reference.ts";
import { pfProblem } from "../../../../src/net/capture/probe_pf.ts";
import { probeRedirect } from "../../../../src/net/capture/probe_redirect.ts";
import { pfctlReason } from "../../../../src/net/capture/run_pfctl.ts";

const { signal } = new AbortController();

const ENABLED = `No ALTQ support in kernel
ALTQ related functions disabled
pf enabled
Token : 16170319373498437631
`;
const REFERENCES = `TOKENS:
PID      Process Name                 TOKEN                    TIMESTAMP
771      pfctl                        16170319373498437631     0 days 00:00:10
`;
const NAT = `nat-anchor "com.apple/*" all
rdr-anchor "com.apple/*" all
`;
const RULES = `scrub-anchor "com.apple/*" all fragment reassemble
anchor "com.apple/*" all
`;

/** Answers by the end of the command line; what is not there succeeds without a word. */
function pfctl(
  answers: Record<string, { code?: number; stdout?: string; stderr?: string }>,
) {
  const asked: string[] = [];
  const exec = (command: string, args: readonly string[]) => {
    const line = [command, ...args].join(" ");
    asked.push(line);
    const [, answer = {}] =
      Object.entries(answers).find(([end]) => line.endsWith(end)) ?? [];
    return Promise.resolve({ code: 0, stdout: "", stderr: "", ...answer });
  };
  return { asked, machine: { exec } };
}

Deno.test("a question to pf is laid out as the kernel's struct has it", () => {
  const bytes = packNatlook({
    source: "192.168.1.5",
    sourcePort: 0xabcd,
    port: 1080,
  });
  assert.equal(bytes.length, NATLOOK_BYTES);
  // the size is a part of the request's number
  assert.equal(Number((DIOCNATLOOK >> 16n) & 0x1fffn), NATLOOK_BYTES);
  const expected = new Uint8Array(84);
  expected.set([192, 168, 1, 5], 0);
  expected.set([127, 0, 0, 1], 16);
  expected.set([0xab, 0xcd], 64);
  expected.set([1080 >> 8, 1080 & 0xff], 68);
  expected.set([2, 6, 0, 2], 80);
  assert.deepEqual(bytes, expected);
});

Deno.test("the answer of pf is read in both families", () => {
  const bytes = packNatlook({ source: "10.0.0.1", sourcePort: 1, port: 2 });
  bytes.set([10, 96, 0, 1], 48);
  bytes.set([0x1f, 0x90], 76);
  assert.deepEqual(unpackNatlook(bytes), { host: "10.96.0.1", port: 8080 });
  const ipv6 = packNatlook({ source: "fd00::1", sourcePort: 1, port: 2 });
  assert.equal(ipv6[80], 30);
  assert.deepEqual([...ipv6.subarray(16, 32)], [...Array(15).fill(0), 1]);
  ipv6.set([0xfd, 0x96, ...Array(13).fill(0), 9], 48);
  ipv6.set([0, 80], 76);
  assert.deepEqual(unpackNatlook(ipv6), { host: "fd96::9", port: 80 });
});

Deno.test("a question to pf is an address and two ports, and nothing else", () => {
  const query = { source: "192.168.1.5", sourcePort: 1, port: 65535 };
  assert.deepEqual(v.parse(pfQuerySchema, query), query);
  for (
    const hostile of [
      { source: "192.168.1.0/24" },
      { source: "localhost" },
      { source: "x".repeat(1000) },
      { sourcePort: 0 },
      { sourcePort: 1.5 },
      { port: 65536 },
      { port: "1080" },
      { path: "/dev/mem" },
    ]
  ) {
    assert.ok(!v.safeParse(pfQuerySchema, { ...query, ...hostile }).success);
  }
});

Deno.test("PfDestinations asks by what the listener sees, and not about a link's own addresses", async () => {
  const asked: unknown[] = [];
  using destinations = new PfDestinations((query) => {
    asked.push(query);
    return Promise.resolve({ host: "10.96.0.1", port: 80 });
  });
  const of = (remoteAddress?: string) =>
    destinations.of(
      { remoteAddress, remotePort: 50_000, localPort: 1080 } as Socket,
    );
  assert.deepEqual(await of("192.168.1.5"), { host: "10.96.0.1", port: 80 });
  assert.equal(await of("fe80::1%lo0"), undefined);
  assert.equal(await of(undefined), undefined); // it has gone already
  assert.deepEqual(asked, [
    { source: "192.168.1.5", sourcePort: 50_000, port: 1080 },
  ]);
});

Deno.test("pf's token is found in what it says, and an answer without one is an error", async () => {
  assert.equal(pfToken(ENABLED), "16170319373498437631");
  assert.equal(pfToken("pf enabled\n"), undefined);
  const { machine } = pfctl({ "-E": { stderr: ENABLED } });
  assert.equal(await startPf(machine), "16170319373498437631");
  await assert.rejects(startPf(pfctl({}).machine), { code: "PF_FAILED" });
});

Deno.test("pf's token is given back once, and one that is gone is no error", async () => {
  const token = "16170319373498437631";
  const there = pfctl({ References: { stdout: REFERENCES } });
  await pfReferenceStep.revert({ token }, there.machine, signal);
  assert.deepEqual(there.asked.slice(1), [`pfctl -X ${token}`]);
  // a number that only begins alike is somebody else's
  const others = pfctl({ References: { stdout: REFERENCES } });
  await pfReferenceStep.revert(
    { token: token.slice(0, 10) },
    others.machine,
    signal,
  );
  assert.equal(others.asked.length, 1);
});

Deno.test("pf's anchor is emptied and no other rules are; one that is gone is no error", async () => {
  const args = { session: "x1y2", cidrs: [], exclude: [], port: 1 };
  const answer = (stderr: string) =>
    pfctl({ "-F all": { code: 1, stderr: `No ALTQ support\n${stderr}` } });
  const gone = answer("pfctl: Anchor does not exist.");
  await pfAnchorStep.revert(args, gone.machine, signal);
  assert.deepEqual(gone.asked, ["pfctl -a com.apple/ktctl_x1y2 -F all"]);
  await assert.rejects(
    pfAnchorStep.revert(
      args,
      answer("pfctl: /dev/pf: Permission denied").machine,
      signal,
    ),
    /Permission denied/,
  );
});

Deno.test("what pfctl says each time is not taken for the reason", () => {
  assert.equal(
    pfctlReason(
      "No ALTQ support in kernel\nALTQ related functions disabled\npfctl: Use of -f option, could result in flushing of rules\npresent in the main ruleset added by the system at startup.\nSee /etc/pf.conf for further details.\n\nstdin:3: syntax error\n",
    ),
    "stdin:3: syntax error",
  );
});

Deno.test("pf without Apple's anchors, or told to leave out loopback, is refused before anything is changed", async () => {
  const good = { translations: NAT, filters: RULES, loopback: "lo0\n" };
  assert.equal(pfProblem(good), undefined);
  assert.match(pfProblem({ ...good, translations: "" })!, /rdr-anchor/);
  const scrubOnly = RULES.split("\n")[0]!;
  assert.match(pfProblem({ ...good, filters: scrubOnly })!, /anchor/);
  assert.match(pfProblem({ ...good, loopback: "lo0 (skip)\n" })!, /lo0/);
  await assert.rejects(
    probeRedirect(pfctl({ nat: { stdout: NAT } }).machine, { os: "darwin" }),
    (error) =>
      error instanceof UnsupportedError &&
      error.code === "REDIRECT_UNSUPPORTED",
  );
  const { asked, machine } = pfctl({
    nat: { stdout: NAT },
    rules: { stdout: RULES },
  });
  assert.equal(await probeRedirect(machine, { os: "darwin" }), "pf");
  assert.ok(asked.every((line) => / (-n|-s) /.test(line)), asked.join());
});

Deno.test("what a dead helper did to pf, the next one can take back", () => {
  const ids = openRedirectOperation.steps.map(({ id }) => id);
  assert.ok(ids.includes("pf.redirect") && ids.includes("pf.reference"));
});

Deno.test({
  name: "where there is no pf, the helper says so when it is asked",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    assert.rejects(
      redirectDestinationOperation.apply(
        { source: "192.168.1.5", sourcePort: 1, port: 2 },
        {} as Scope<Machine>,
        () => {},
      ),
      { code: "REDIRECT_UNSUPPORTED" },
    ),
});
