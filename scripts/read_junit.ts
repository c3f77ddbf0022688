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

/** The tests that took longest, longest first. */
export function slowestTests(
  xml: string,
  count: number,
): { name: string; seconds: number }[] {
  const found: { name: string; seconds: number }[] = [];
  for (const [tag] of xml.matchAll(/<testcase\b[^>]*>/g)) {
    const field = (name: string) =>
      new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1] ?? "";
    const name = unescapeXml(field("name"));
    // a step's name has its test's in front; the test's own time has all of them
    if (!name.includes(" > ")) {
      found.push({ name, seconds: Number(field("time")) });
    }
  }
  return found.sort((a, b) => b.seconds - a.seconds).slice(0, count);
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
