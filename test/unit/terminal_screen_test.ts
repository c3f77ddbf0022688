import assert from "node:assert/strict";
import { terminalScreen } from "../../scripts/terminal_screen.ts";
import { terminalSvg } from "../../scripts/terminal_svg.ts";

function text(output: string): string {
  return terminalScreen(output).map((line) =>
    line.map((span) => span.text).join("")
  ).join("\n");
}

for (
  const [title, output, shown] of [
    ["lines", "a\r\nb\r\n", "a\nb"],
    ["a step that is written over", "  Start …\r\x1b[K✔ Start\r\n", "✔ Start"],
    ["the rest of a longer line stays", "abcdef\rXY", "XYcdef"],
    ["what is erased from the middle on", "abcdef\rab\x1b[K", "ab"],
    ["a backspace", "ab\b \bc", "ac"],
    ["a gap", "a\rab\x1b[K\x1b[0Kc", "abc"],
    ["sequences of no text", "\x1b[?2004h$ \x1b]0;title\x07x\x07", "$ x"],
    ["characters of two units", "🙂é\r\n", "🙂é"],
    ["empty lines in between alone", "a\r\n\r\nb\r\n\r\n", "a\n\nb"],
    ["blanks at the end", "a  \r\n", "a"],
  ] as const
) {
  Deno.test(`a terminal shows ${title}`, () => {
    assert.equal(text(output), shown);
  });
}

Deno.test("a terminal shows colours until they end", () => {
  const output = "\x1b[32m✔\x1b[39m Lock \x1b[1;90m(0.1 s)\x1b[0m!";
  assert.deepEqual(terminalScreen(output), [[
    { text: "✔", style: { colour: "green" } },
    { text: " Lock ", style: {} },
    { text: "(0.1 s)", style: { colour: "gray", isBold: true } },
    { text: "!", style: {} },
  ]]);
});

Deno.test("the picture of a terminal has each span at its place, and no text that is markup", () => {
  const svg = terminalSvg(terminalScreen("\x1b[31ma<b\x1b[0m & c\r\n2"), {
    title: 'of "x" & y',
    columns: 10,
  });
  assert.deepEqual(svg.match(/<text.*/g), [
    '<text x="16" y="30" textLength="25.2" fill="#ff7b72">a&lt;b</text>',
    '<text x="41.2" y="30" textLength="33.6"> &amp; c</text>',
    '<text x="16" y="50" textLength="8.4">2</text>',
  ]);
  assert.match(svg, /^<svg .*width="116" height="72"/);
  assert.match(svg, /<title>of "x" &amp; y<\/title>/);
});
