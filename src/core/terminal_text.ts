/**
 * Texts that others wrote, made harmless: a terminal obeys some characters instead of showing them. By
 * hand: strip-ansi takes sequences away, which here are to be seen, and leaves other control characters.
 */

/** Longer ones are cut: one text must not push all the others off the screen. */
const MAX_CHARACTERS = 4000;

/** Control characters but tab and newline, and those that turn the order of what follows. */
const OBEYED =
  // deno-lint-ignore no-control-regex -- they are what it is about
  /[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/**
 * The text as a terminal may show it: what it would obey is written out, as kubectl does (`^[` for
 * ESC). Newlines stay.
 */
export function terminalText(
  text: string,
  maxCharacters = MAX_CHARACTERS,
): string {
  const rest = text.length - maxCharacters;
  const kept = rest <= 0
    ? text
    : `${text.slice(0, maxCharacters)} … (${rest} more characters)`;
  return kept.replaceAll("\r\n", "\n").replace(OBEYED, shown);
}

/** The same for JSON, which `JSON.stringify` has made: it means what it meant. */
export function terminalJson(json: string): string {
  return json.replace(OBEYED, escaped);
}

function shown(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x20 || code === 0x7f
    ? `^${String.fromCharCode(code ^ 0x40)}`
    : escaped(character);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
