export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Counts the test cases of a report by `deno test --junit-path`. */
export function readJunit(xml: string): TestCounts {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const cases = /<testcase\b[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g;
  for (const [, body = ""] of xml.matchAll(cases)) {
    if (/<(failure|error)\b/.test(body)) counts.failed++;
    else if (/<skipped\b/.test(body)) counts.skipped++;
    else counts.passed++;
  }
  return counts;
}
