/** Requests by wrk: HTTP/1.1 with keep-alive, from a program that is no limit itself. */

/** What one run of wrk measured. */
export interface WrkLoad {
  readonly requestsPerS: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface WrkRun {
  readonly connections: number;
  readonly seconds: number;
  /** More words, such as headers. */
  readonly words?: readonly string[];
}

/** The command. */
export function wrkCommand(
  url: string,
  { connections, seconds, words = [] }: WrkRun,
): string[] {
  const load = ["-t", "1", "-c", String(connections), "-d", `${seconds}s`];
  return ["wrk", ...load, ...words, "--latency", url];
}

/** @throws where requests failed */
export function readWrk(text: string): WrkLoad {
  if (/Socket errors|Non-2xx/.test(text)) {
    throw new Error(`requests failed:\n${text}`);
  }
  const value = (pattern: RegExp) => pattern.exec(text)?.[1] ?? "NaN";
  return {
    requestsPerS: Number(value(/Requests\/sec:\s+([\d.]+)/)),
    p50Ms: milliseconds(value(/50%\s+([\d.]+m?u?s)/)),
    p99Ms: milliseconds(value(/99%\s+([\d.]+m?u?s)/)),
  };
}

function milliseconds(text: string): number {
  const value = Number.parseFloat(text);
  if (text.endsWith("us")) return value / 1000;
  return text.endsWith("ms") ? value : value * 1000;
}
