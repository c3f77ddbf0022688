/**
 * Writes text whole. A reader that is gone (a closed pipe, a terminal that hung up) must not stop
 * the clean-up that the text tells of: what cannot be written is dropped.
 *
 * @returns Why it was, where somebody may take for whole what is not: a disk is full.
 */
export function writeAll(
  stream: { writeSync(bytes: Uint8Array): number },
  text: string,
): Error | undefined {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let written = 0; written < bytes.length;) {
      written += stream.writeSync(bytes.subarray(written));
    }
    return undefined;
  } catch (error) {
    const isGone = error instanceof Deno.errors.BrokenPipe ||
      (error as { code?: string }).code === "EIO";
    return isGone ? undefined : error as Error;
  }
}
