const FORMS = ["source", "bundle", "portable", "npm", "url"] as const;
export type ProgramForm = typeof FORMS[number];

/** What `KTCTL_TEST_PROGRAM` says; tested_program.ts tells what that is. */
export const PROGRAM_FORM: ProgramForm = formOf(
  Deno.env.get("KTCTL_TEST_PROGRAM") || "source",
);

function formOf(name: string): ProgramForm {
  const form = FORMS.find((form) => form === name);
  if (form !== undefined) return form;
  throw new Error(`KTCTL_TEST_PROGRAM: "${name}" is none of ${FORMS}`);
}
