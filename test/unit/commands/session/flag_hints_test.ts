// What the command line adds to errors and warnings of the code below it.
import assert from "node:assert/strict";
import {
  hintWithFlags,
  placedEvent,
  warningWithFlags,
} from "../../../../src/commands/session/flag_hints.ts";
import { HumanReport } from "../../../../src/cli/report_human.ts";
import { JsonReport } from "../../../../src/cli/report_json.ts";
import { ClusterError } from "../../../../src/core/errors.ts";
import type { ReportEvent } from "../../../../src/core/report.ts";
import type { ErrorOptionsWithHint } from "../../../../src/core/errors.ts";

for (
  const [title, code, options, hint] of [
    [
      "an error of no flag keeps its hint",
      "NOTHING",
      { hint: "Wait." },
      "Wait.",
    ],
    ["an error without a hint gets none", "NOTHING", {}, undefined],
    ["a code that every object has is none", "constructor", {}, undefined],
    [
      "a flag comes after the hint",
      "NO_READY_POD",
      { hint: "Look." },
      "Look. Or raise --portForwardTimeout.",
    ],
    [
      "a flag may be all there is to say",
      "NRPT_OVERRULED",
      {},
      "Use --dnsMode hosts.",
    ],
    [
      "a hint that names the flag already is left as it is",
      "NO_READY_POD",
      { hint: "Give --portForwardTimeout 60." },
      "Give --portForwardTimeout 60.",
    ],
    [
      "who meshes a Service can be asked by exchange",
      "SERVICE_MESHED",
      { hint: "Ask alice to leave." },
      "Ask alice to leave. Or ask them with `ktctl exchange --takeOver`.",
    ],
    [
      "each remedy is a flag",
      "POD_NOT_READY",
      { hint: "Wait.", remedies: ["more-time", "tolerations"] },
      "Wait. Use --podCreationTimeout or --toleration key=value:effect.",
    ],
  ] satisfies [string, string, ErrorOptionsWithHint, string | undefined][]
) {
  Deno.test(title, () => {
    assert.equal(hintWithFlags(new ClusterError(code, "It", options)), hint);
  });
}

Deno.test("a warning gets its flag as a sentence of its own", () => {
  assert.equal(
    warningWithFlags("SERVICE_RANGE_PARTIAL", "There may be more"),
    "There may be more. Add ranges with --includeIps.",
  );
  assert.equal(warningWithFlags("NOTHING", "It is so"), "It is so");
});

const place = {
  namespace: "shop",
  context: "arn:aws/my staging",
  kubeconfig: "team.yaml",
};
const CLUSTER = "--context 'arn:aws/my staging' --kubeconfig team.yaml";

for (
  const [title, event, field, placed] of [
    [
      "the namespace and the cluster of the command that failed",
      {
        event: "error",
        code: "X",
        message: "x",
        hint: "Run `ktctl recover web --takeOver`.",
      },
      "hint",
      `Run \`ktctl recover web --takeOver -n shop ${CLUSTER}\`.`,
    ],
    [
      "its own namespace where it names one",
      {
        event: "check",
        name: "x",
        title: "X",
        state: "bad",
        message: "x",
        advice: "Run `ktctl clean -n dev`.",
      },
      "advice",
      `Run \`ktctl clean -n dev ${CLUSTER}\`.`,
    ],
    [
      "no place where it is about this machine",
      {
        event: "closed",
        state: "incomplete",
        reason: "`ktctl clean --localOnly`",
        exitCode: 9,
      },
      "reason",
      "`ktctl clean --localOnly`",
    ],
    [
      "the cluster where it is kubectl's",
      { event: "ready", message: "x", hint: "See `kubectl get namespaces`." },
      "hint",
      `See \`kubectl get namespaces ${CLUSTER}\`.`,
    ],
    [
      "the namespace where it is kubectl's and names none",
      { event: "error", code: "X", message: "x", hint: "`kubectl logs web`" },
      "hint",
      `\`kubectl logs web -n shop ${CLUSTER}\``,
    ],
    [
      "the cluster where a warning tells it",
      {
        event: "warning",
        code: "X",
        message: "By hand, as its Pod says: `kubectl delete pod x -n dev`",
      },
      "message",
      `By hand, as its Pod says: \`kubectl delete pod x -n dev ${CLUSTER}\``,
    ],
    [
      "no cluster where it chooses one",
      { event: "ready", message: "x", hint: "`kubectl config use-context`" },
      "hint",
      "`kubectl config use-context`",
    ],
    [
      "the cluster where it undoes something",
      {
        event: "warning",
        code: "X",
        message:
          "Left behind: it, as kubectl says; to undo: kubectl delete pod x -n dev, or for all: ktctl recover x -n dev",
      },
      "message",
      `Left behind: it, as kubectl says; to undo: kubectl ${CLUSTER} delete pod x -n dev, or for all: ktctl recover ${CLUSTER} x -n dev`,
    ],
  ] as [string, ReportEvent, string, string][]
) {
  Deno.test(`a command that is told to be run has ${title}`, () => {
    const told = placedEvent(event, place);
    assert.equal(told[field as keyof ReportEvent], placed);
    assert.deepEqual(placedEvent(told, place), told, "told once more");
    assert.deepEqual(placedEvent(event, {}), event, "where nothing was named");
  });
}

Deno.test("people and programs are told commands with their place", () => {
  let said = "";
  const out = (text: string) => void (said += text);
  const error: ReportEvent = {
    event: "error",
    code: "X",
    message: "x",
    details: ["a Pod; to undo: kubectl delete pod x"],
  };
  for (
    const report of [
      new JsonReport(out, { place }),
      new HumanReport({ out, err: out, debug: false, live: false, place }),
    ]
  ) {
    said = "";
    report.event(error);
    assert.ok(said.includes(`kubectl ${CLUSTER} delete pod x`), said);
  }
});
