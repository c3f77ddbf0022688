/** With the scheme, if there is one: Go programs and ktctl take a proxy without. */
const CREDENTIALS = /^([a-z][a-z0-9+.-]*:\/\/)?[\s\S]*@/i;

/**
 * A proxy as it may be shown: without all that stands before its last `@`. A password may have `/`, `#` and `@` in it
 * that nobody has encoded, so no parser is asked.
 *
 * @param instead What stands there then.
 */
export function proxyText(value: string, instead = "…"): string {
  return value.replace(
    CREDENTIALS,
    (_, scheme: string | undefined) => `${scheme ?? ""}${instead}@`,
  );
}
