import type { Command, Option } from "commander";

/** The options of every verb that most people need; the others are in `ktctl --help`. */
const SHOWN = new Set(["namespace", "kubeconfig", "context", "image"]);

/** What the help of a verb has beside its own options. */
export function addVerbHelp(
  command: Command,
  { program, example, makesPods }: {
    program: Command;
    example: string;
    /** Others have no use for an image. */
    makesPods: boolean;
  },
): void {
  command.configureHelp({
    ...command.configureHelp(),
    showGlobalOptions: true,
    visibleGlobalOptions: (): Option[] =>
      program.options.filter((option) => {
        const name = option.attributeName();
        return SHOWN.has(name) && (makesPods || name !== "image");
      }),
  });
  command.addHelpText(
    "after",
    `\nExample:\n  ${example}\n\nMore options: ktctl --help`,
  );
}
