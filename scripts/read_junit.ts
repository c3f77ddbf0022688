export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** With the opening tag. */
const CASES = /(<testcase\b[^>]*?)(?:\/>|>[\s\S]*?<\/testcase>)/g;
/** A step's name has its test's in front. */
const STEP = " > ";

/** Counts the test cases of a report by `deno test --junit-path`. */
export function readJunit(xml: string): TestCounts {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const [text] of xml.matchAll(CASES)) {
    if (/<(failure|error)\b/.test(text)) counts.failed++;
    else if (/<skipped\b/.test(text)) counts.skipped++;
    else counts.passed++;
  }
  return counts;
}

/** A test that failed, by itself or in a step. */
export interface FailedTest {
  readonly file: string;
  readonly name: string;
  /** It, and those of its steps that failed. */
  readonly cases: number;
  /** Of each case that failed by itself: its step, and how its error begins. */
  readonly reasons: readonly string[];
}

const MAX_REASON_CHARACTERS = 1500;

export function failedTests(xml: string): FailedTest[] {
  const failed = new Map<string, FailedTest>();
  for (const [text, tag = ""] of xml.matchAll(CASES)) {
    if (!/<(failure|error)\b/.test(text)) continue;
    const file = field(tag, "classname");
    const [name = "", ...steps] = field(tag, "name").split(STEP);
    const key = `${file}\n${name}`;
    const { cases = 0, reasons = [] } = failed.get(key) ?? {};
    const reason = reasonOf(text);
    const told = reason === undefined
      ? []
      : [[...steps, reason].join(": ").slice(0, MAX_REASON_CHARACTERS)];
    failed.set(key, {
      file,
      name,
      cases: cases + 1,
      reasons: [...reasons, ...told],
    });
  }
  return [...failed.values()];
}

/** Undefined of a test that failed in its steps alone. */
function reasonOf(testcase: string): string | undefined {
  const [, body = ""] =
    /<(?:failure|error)\b[^>]*>([\s\S]*?)<\/(?:failure|error)>/.exec(
      testcase,
    ) ?? [];
  const reason = unescapeXml(body).trim();
  return reason === "" || /^\d+ test steps? failed/.test(reason)
    ? undefined
    : reason;
}

/** What each file's tests took together by the clock, longest first. */
export function fileSeconds(xml: string): { file: string; seconds: number }[] {
  const sums = new Map<string, number>();
  for (const [, tag = ""] of xml.matchAll(CASES)) {
    // the test's own time has all of its steps
    if (field(tag, "name").includes(STEP)) continue;
    const file = field(tag, "classname");
    sums.set(file, (sums.get(file) ?? 0) + Number(field(tag, "time")));
  }
  return [...sums].map(([file, seconds]) => ({ file, seconds }))
    .sort((a, b) => b.seconds - a.seconds);
}

function field(tag: string, name: string): string {
  const [, text = ""] = new RegExp(`\\b${name}="([^"]*)"`).exec(tag) ?? [];
  return unescapeXml(text);
}

const ENTITIES: Record<string, string> = {
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&apos;": "'",
  "&amp;": "&",
};

function unescapeXml(text: string): string {
  return text.replace(/&\w+;/g, (entity) => ENTITIES[entity] ?? entity);
}
