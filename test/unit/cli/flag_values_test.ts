import assert from "node:assert/strict";
import {
  parseAnnotations,
  parseDuration,
  parseLabels,
  parsePairs,
  parsePodQuota,
  parseWhole,
} from "../../../src/cli/flag_values.ts";
import { normaliseFlags } from "../../../src/cli/normalise_flags.ts";
import { UsageError } from "../../../src/core/errors.ts";

Deno.test("pairs keep what stands behind the first equals sign", () => {
  assert.deepEqual(parsePairs("withLabel", "a=1, b=x=y,c="), {
    a: "1",
    b: "x=y",
    c: "",
  });
  assert.throws(() => parsePairs("withLabel", "a"), UsageError);
  assert.throws(() => parsePairs("withLabel", "=1"), UsageError);
});

Deno.test("labels and annotations that the cluster would refuse are refused at once", () => {
  const long = "a".repeat(64);
  for (const good of ["a=b", "a=", "x.y/a_b=C.d", "A-1=1"]) {
    const [at] = Object.keys(parseLabels("withLabel", good));
    assert.ok(good.startsWith(at!));
  }
  const keys = ["-a=b", "a b=c", "a/b/c=d", "/a=b", "A/=b", "X.Y/a=b"];
  for (const bad of [...keys, `${long}=b`]) {
    assert.throws(() => parseLabels("withLabel", bad), UsageError, bad);
    assert.throws(() => parseAnnotations("withAnnotation", bad), UsageError);
  }
  for (const bad of ["a=b c", "a=-", "a=b=c", `a=${long}`]) {
    assert.throws(() => parseLabels("withLabel", bad), UsageError, bad);
    parseAnnotations("withAnnotation", bad);
  }
});

Deno.test("a pod quota gives Kubernetes quantities", () => {
  assert.deepEqual(parsePodQuota("0.5c,512m"), { cpu: "0.5", memory: "512Mi" });
  assert.deepEqual(parsePodQuota("2C, 1G"), { cpu: "2", memory: "1Gi" });
  assert.deepEqual(parsePodQuota("100k"), { memory: "100Ki" });
  assert.deepEqual(parsePodQuota("0.5c,512m,ephemeral-storage=1.5g"), {
    cpu: "0.5",
    memory: "512Mi",
    "ephemeral-storage": "1.5Gi",
  });
  const storage = ["ephemeral-storage=1", "ephemeral-storage=1c", "storage=1g"];
  for (const bad of ["", "1", "1x", "c", "1.c", "-1c", ...storage]) {
    assert.throws(() => parsePodQuota(bad), UsageError, bad);
  }
});

Deno.test("whole numbers are whole, and not below their least", () => {
  assert.equal(parseWhole("x", 1)("7"), 7);
  for (const bad of ["0", "1.5", "-1", "1e3", "", "seven"]) {
    assert.throws(() => parseWhole("x", 1)(bad), UsageError, bad);
  }
});

Deno.test("kebab-case flags are read as the original's", () => {
  assert.deepEqual(
    normaliseFlags([
      "exchange",
      "my-service",
      "--skip-port-checking",
      "--pod-quota=0.5c,512m",
      "-n",
      "a-b",
      "--expose",
      "80",
      "--",
      "--as-it-is",
    ]),
    [
      "exchange",
      "my-service",
      "--skipPortChecking",
      "--podQuota=0.5c,512m",
      "-n",
      "a-b",
      "--expose",
      "80",
      "--",
      "--as-it-is",
    ],
  );
});

Deno.test("a duration has units, and is neither too short nor too long", () => {
  const parse = parseDuration("restoreAfter", {
    minMs: 5_000,
    maxMs: 7_200_000,
    variable: "KTCTL_RESTORE_AFTER",
  });
  assert.equal(parse("5s"), 5_000);
  assert.equal(parse("10m"), 600_000);
  assert.equal(parse("1h30m"), 5_400_000);
  assert.equal(parse("2h"), 7_200_000);
  const bad = ["", "10", "4s", "0m", "-10s", "1.5h", "10 s", "30m1h", "2h1s"];
  for (const text of [...bad, "10S", "1d", "s", "9".repeat(30) + "s"]) {
    assert.throws(() => parse(text), UsageError, text);
  }
});
