/**
 * Writes text whole. A reader that is gone (a closed pipe, a terminal that hung up) must not stop
 * the clean-up that the text tells of: what cannot be written is dropped.
 */
export function writeAll(
  stream: { writeSync(bytes: Uint8Array): number },
  text: string,
): void {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let written = 0; written < bytes.length;) {
      written += stream.writeSync(bytes.subarray(written));
    }
  } catch {
    // nobody is left to be told
  }
}
