import type { ProgramForm } from "../test/cluster/program_form.ts";

/** Test files that `deno test` gets at once. */
export interface TestRun {
  readonly files: readonly string[];
  /** Of the ktctl that they start. */
  readonly form: ProgramForm;
  readonly isParallel: boolean;
}

/**
 * Unit tests that measure the whole process, or change its environment or its folder, as files that run side
 * by side share one; or that fill the processors.
 */
export const UNIT_ALONE =
  /\/unit\/.*\/(completion|finished_ciphers|flood|socks|start_helper|user_paths)_test/;

const FORMS = ["source", "bundle", "portable", "url"] as const;

/** With what contributors start: sessions of some kinds, and what builds on the checkout. All others with what people get. */
const ON_SOURCE =
  /^test\/cluster\/(conformance\w*|demo|exchange|plugin_(author|capture)|preview|record_exchange|smoke)_test/;

/** Each verb once, for the forms that no other test starts. */
const SMOKE = /^test\/cluster\/(connect_user|every_verb)_test/;

/**
 * Plugins of somebody else's, far from the checkout: with each form that people start; with all but the bundle
 * only what depends on the form.
 */
const PLUGINS = /^test\/cluster\/plugin_examples_test/;

/** A file runs once, with one form of ktctl, but for plugins and the smoke set. */
function formsOf(file: string): ProgramForm[] {
  if (PLUGINS.test(file)) return ["source", "bundle", "portable"];
  if (SMOKE.test(file)) return ["portable", "url"];
  const isSource = !file.startsWith("test/cluster/") || ON_SOURCE.test(file);
  return [isSource ? "source" : "bundle"];
}

/**
 * @param alone Files that run by themselves, after all others ran side by side
 * @param options.form The one form that all of them run with. @default each with its own
 */
export function testRuns(
  files: readonly string[],
  alone: RegExp,
  { form: only }: { form?: ProgramForm | undefined } = {},
): TestRun[] {
  return [true, false].flatMap((isParallel) =>
    (only === undefined ? FORMS : [only]).map((form) => ({
      form,
      isParallel,
      files: files.filter((file) =>
        alone.test(file) !== isParallel &&
        (form === only || formsOf(file).includes(form))
      ),
    }))
  ).filter(({ files }) => files.length > 0);
}
