import type { Span } from "./terminal_screen.ts";

const FONT_PX = 14;
/** Of a character in a monospace font, which `textLength` holds every font to. */
const CHARACTER_PX = 8.4;
const LINE_PX = 20;
const MARGIN_PX = 16;

const COLOURS = {
  red: "#ff7b72",
  green: "#7ee787",
  yellow: "#e3b341",
  blue: "#79c0ff",
  gray: "#8b949e",
} as const;

/**
 * A picture of a terminal, which brings a background of its own and so is readable on any page.
 *
 * @param lines As `terminalScreen` gives them.
 * @param options.title For who cannot see it.
 */
export function terminalSvg(
  lines: readonly (readonly Span[])[],
  { title, columns }: { title: string; columns: number },
): string {
  const width = Math.ceil(columns * CHARACTER_PX) + 2 * MARGIN_PX;
  const height = lines.length * LINE_PX + 2 * MARGIN_PX;
  const texts = lines.flatMap((line, index) =>
    lineTexts(line, MARGIN_PX + index * LINE_PX + FONT_PX)
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>${escaped(title)}</title>
<rect width="${width}" height="${height}" rx="8" fill="#0d1117" stroke="#30363d"/>
<g font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${FONT_PX}" fill="#e6edf3" xml:space="preserve">
${texts.join("\n")}
</g>
</svg>
`;
}

function lineTexts(line: readonly Span[], y: number): string[] {
  let column = 0;
  return line.map(({ text, style }) => {
    const length = [...text].length;
    const x = MARGIN_PX + column * CHARACTER_PX;
    column += length;
    const attributes = [
      `x="${px(x)}" y="${y}" textLength="${px(length * CHARACTER_PX)}"`,
      ...style.colour === undefined ? [] : [`fill="${COLOURS[style.colour]}"`],
      ...style.isBold ? ['font-weight="bold"'] : [],
    ];
    return `<text ${attributes.join(" ")}>${escaped(text)}</text>`;
  });
}

function px(length: number): string {
  return String(Math.round(length * 10) / 10);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}
