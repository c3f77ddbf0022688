/** Text that comes in pieces, as lines. */

/**
 * @param chunks UTF-8 bytes, cut anywhere.
 * @returns Each line without its end; empty ones are left out, and so is an unfinished last one.
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let pieces: string[] = [];
  for await (const chunk of chunks) {
    const [first, ...rest] = decoder.decode(chunk, { stream: true }).split(
      "\n",
    );
    pieces.push(first!);
    if (rest.length === 0) continue;
    const whole = pieces.join("");
    const unfinished = rest.pop()!;
    pieces = [unfinished];
    for (const line of [whole, ...rest]) {
      if (line.trim() !== "") yield line;
    }
  }
}
