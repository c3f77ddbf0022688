const UNITS = [["d", 86_400], ["h", 3600], ["m", 60], ["s", 1]] as const;

/** How long ago, as kubectl tells it: `12s`, `5m`, `3h`, `2d`. "" where nothing tells since when. */
export function ageText(since: string | undefined, now = Date.now()): string {
  const at = Date.parse(since ?? "");
  if (Number.isNaN(at)) return "";
  const seconds = Math.max(0, Math.floor((now - at) / 1000));
  const [unit, size] = UNITS.find(([, size]) => seconds >= 2 * size) ??
    UNITS[3];
  return `${Math.floor(seconds / size)}${unit}`;
}
