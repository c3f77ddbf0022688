/**
 * Flags are spelt as the original's (`--versionMark`); the kebab-case form (`--version-mark`) is
 * understood too.
 */
export function normaliseFlags(args: readonly string[]): string[] {
  const end = args.indexOf("--");
  return args.map((arg, at) => {
    if (!arg.startsWith("--") || (end !== -1 && at >= end)) return arg;
    const [name, ...value] = arg.split("=");
    const camel = name!.slice(2).replace(
      /-([a-z])/g,
      (_, letter: string) => letter.toUpperCase(),
    );
    return [`--${camel}`, ...value].join("=");
  });
}
