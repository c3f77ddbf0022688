// A link of README.md, docs and the other texts for people leads to a file, and to a heading of it.
import assert from "node:assert/strict";

const ROOT = new URL("../../", import.meta.url);
const FILES = [
  ...[...Deno.readDirSync(ROOT)].map(({ name }) => name),
  ...[...Deno.readDirSync(new URL("docs/", ROOT))].map(({ name }) =>
    `docs/${name}`
  ),
  "docs/rbac/README.md",
].filter((name) => name.endsWith(".md"));

/** As GitHub names a heading. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
    title.toLowerCase().replace(/[^\p{L}\d\s_-]/gu, "").replaceAll(" ", "-")
  );
}

for (const name of FILES) {
  Deno.test(`the links of ${name} lead somewhere`, async () => {
    const file = new URL(name, ROOT);
    const text = await Deno.readTextFile(file);
    assert.doesNotMatch(text, /<{7}|>{7}/, "a merge was left half done");
    for (const [, link = ""] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link)) continue;
      const target = new URL(link, file);
      const { hash } = target;
      target.hash = "";
      assert.ok((await Deno.stat(target)).isFile || hash === "", link);
      if (hash === "") continue;
      const there = anchors(await Deno.readTextFile(target));
      assert.ok(there.includes(hash.slice(1)), link);
    }
  });
}
