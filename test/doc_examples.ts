// The files that docs/plugin-authors.md shows, in a folder as its reader has it; beside them the tests' own
// plugins of test/plugins.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const CHECKOUT = fileURLToPath(new URL("../", import.meta.url));

export interface DocExamples extends AsyncDisposable {
  readonly folder: string;
  path(name: string): string;
}

/** Writes each block that names a file; ktctl's sources are where the reader has them. */
export async function docExamples(): Promise<DocExamples> {
  const text = await Deno.readTextFile(`${CHECKOUT}docs/plugin-authors.md`);
  const folder = await Deno.makeTempDir({ prefix: "ktctl-plugin-" });
  const names: string[] = [];
  for (const [, name, body] of text.matchAll(/^```\w+ (\S+)\n(.*?)^```$/gms)) {
    const link = JSON.stringify(CHECKOUT);
    const file = body!.replace('"../ktctl"', link);
    await Deno.writeTextFile(`${folder}/${name}`, file);
    names.push(name!);
  }
  for await (const { name } of Deno.readDir(`${CHECKOUT}test/plugins`)) {
    const text = await Deno.readTextFile(`${CHECKOUT}test/plugins/${name}`);
    const file = text.replace('"../../mod.ts"', '"ktctl"');
    await Deno.writeTextFile(`${folder}/${name}`, file);
    names.push(name);
  }
  return {
    folder,
    path(name) {
      assert.ok(names.includes(name), `${name} is none of ${names}`);
      return `${folder}/${name}`;
    },
    async [Symbol.asyncDispose]() {
      await Deno.remove(folder, { recursive: true });
    },
  };
}
