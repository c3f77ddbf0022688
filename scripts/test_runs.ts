import type { ProgramForm } from "../test/cluster/program_form.ts";

/** Test files that `deno test` gets at once. */
export interface TestRun {
  readonly files: readonly string[];
  /** Of the ktctl that they start. */
  readonly form: ProgramForm;
  readonly isParallel: boolean;
}

const FORMS = ["source", "bundle", "portable", "url"] as const;

/** What may go another way there: ends of all kinds, other processes, records of before, plugins. */
const ON_BUNDLE =
  /^test\/cluster\/(clean\w*|connect_\w+|interrupted_records|killed_client|live_session|plugin_file|signals)_test/;

/** Each verb once, for each form that no other test starts. */
const SMOKE = /^test\/cluster\/(connect_user|every_verb)_test/;

/** Plugins of somebody else's, far from the checkout: with each form that people start. */
const PLUGINS = /^test\/cluster\/plugin_examples_test/;

/** A file runs once, with one form of ktctl, but for plugins and the smoke set. */
function formsOf(file: string): ProgramForm[] {
  if (PLUGINS.test(file)) return ["source", "bundle", "portable"];
  const smoke: ProgramForm[] = SMOKE.test(file) ? ["portable", "url"] : [];
  if (ON_BUNDLE.test(file)) return ["bundle", ...smoke];
  return smoke.length > 0 ? smoke : ["source"];
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
