import { Command, type Option } from "commander";

/** What the word under the cursor is. */
export interface CompletionPlace {
  /** The command that the words before name: the program, a verb, or one below it. */
  readonly command: Command;
  /** The arguments of that command that are there already. */
  readonly operands: readonly string[];
  /** The flags with values that are there already, by name; the global ones too. */
  readonly given: Readonly<Record<string, unknown>>;
  /** Set where the word is the value of a flag. */
  readonly option?: Option;
  /** What stands before the part to be completed: `--mode=`. */
  readonly prefix: string;
  /** The part to be completed. */
  readonly current: string;
}

/** @param words Those behind `ktctl`, up to the cursor; the last one is the one to complete. */
export function completionPlace(
  program: Command,
  words: readonly string[],
): CompletionPlace {
  const before = words.slice(0, -1);
  const current = words.at(-1) ?? "";
  const { command, operands, given } = follow(program, before);
  const place = { command, operands, given };
  const options = [...command.options, ...program.options];
  const equals = current.indexOf("=");
  const named = (flag: string) =>
    options.find((one) => one.long === flag || one.short === flag);
  if (current.startsWith("--") && equals !== -1) {
    const option = named(current.slice(0, equals));
    const prefix = current.slice(0, equals + 1);
    return {
      ...{ ...place, prefix, current: current.slice(equals + 1) },
      ...(option !== undefined && { option }),
    };
  }
  const last = named(before.at(-1) ?? "");
  return {
    ...{ ...place, prefix: "", current },
    // of one whose value may be left out, what follows is something else
    ...(last?.required && { option: last }),
  };
}

/** Walks from the program to the command that the words name. */
function follow(program: Command, words: readonly string[]) {
  let command = program;
  for (;;) {
    const { operands, given } = parse(program, command, words);
    const depth = depthOf(command);
    const next = command.commands.find((one) => one.name() === operands[depth]);
    if (next === undefined) {
      return { command, operands: operands.slice(depth), given };
    }
    command = next;
  }
}

/** By the flags' forms alone: what their values are is not looked at, and nothing of the program is changed. */
function parse(program: Command, command: Command, words: readonly string[]) {
  const parser = new Command().exitOverride();
  const seen = new Set<string>();
  for (const { flags } of [...command.options, ...program.options]) {
    if (seen.has(flags)) continue;
    seen.add(flags);
    parser.option(flags);
  }
  // at the end a flag may still be without its value
  const last = parser.options.find(({ required, long, short }) =>
    required && [long, short].includes(words.at(-1) ?? "")
  );
  const whole = last === undefined ? words : words.slice(0, -1);
  const { operands, unknown } = parser.parseOptions([...whole]);
  return { operands: [...operands, ...unknown], given: parser.opts() };
}

function depthOf(command: Command): number {
  return command.parent === null ? 0 : 1 + depthOf(command.parent);
}
