/** A text that scripts/bundle.ts has put in front of `dist/ktctl.js`; there is none in the sources. */
export function embeddedText(name: string): string | undefined {
  const text = (globalThis as Record<string, unknown>)[name];
  return typeof text === "string" ? text : undefined;
}
