import { mkdirSync, readdirSync, rmdirSync } from "node:fs";
import * as v from "valibot";
import { messageOf, PermissionError } from "../../core/errors.ts";
import { randomLower } from "../../core/random_name.ts";
import type { Step } from "../../undo/step.ts";
import type { Machine, Operation } from "./operation.ts";
import { readFileExact, removeFile, replaceFile } from "./replace_file.ts";
import {
  address,
  domain,
  domains,
  fileMark,
  port,
} from "./resolver_arguments.ts";

const schema = v.object({ id: fileMark, domain });

type Args = v.InferOutput<typeof schema>;
type Input = { readonly nameserver: string; readonly port: number };

/** The file below /etc/resolver that sends a domain to a name server (resolver(5) of macOS). */
export function macosResolverFile(args: Args, input: Input): string {
  return [
    `# ktctl ${args.id}`,
    `nameserver ${input.nameserver}`,
    `port ${input.port}`,
    "search_order 1",
    "timeout 5",
    "",
  ].join("\n");
}

/** Sends one domain to our name server. What others have configured for it stays. */
export const macosResolverStep: Step<Args, Input, boolean, Machine> = {
  id: "resolver.macos",
  schema,
  describe: ({ domain }) => `name server of "${domain}" in /etc/resolver`,
  undoCommand: ({ domain }) => `sudo rm /etc/resolver/${domain}`,
  apply(args, input, { root }) {
    const path = pathOf(root, args.domain);
    const now = readFileExact(path);
    // one of a dead session may be overwritten
    if (now !== undefined && !/^# ktctl /.test(now)) {
      return Promise.resolve(false);
    }
    try {
      mkdirSync(`${root}/etc/resolver`, { recursive: true });
    } catch (error) {
      throw new PermissionError(
        "RESOLVER_FOLDER_NOT_MADE",
        `Cannot make "/etc/resolver": ${messageOf(error)}`,
        { cause: error },
      );
    }
    replaceFile(path, macosResolverFile(args, input));
    return Promise.resolve(true);
  },
  revert({ id, domain }, { root }) {
    const path = pathOf(root, domain);
    if (readFileExact(path)?.startsWith(`# ktctl ${id}\n`)) removeFile(path);
    try {
      if (readdirSync(`${root}/etc/resolver`).length === 0) {
        rmdirSync(`${root}/etc/resolver`);
      }
    } catch {
      // not there, or in use again
    }
    return Promise.resolve();
  },
};

const args = v.strictObject({
  nameserver: address,
  port,
  domains: v.pipe(domains, v.minLength(1)),
});

/** `resolver.macos`: split DNS by files. Gives back the domains that somebody else has a file for, which are left alone. */
export const macosResolverOperation: Operation<
  v.InferOutput<typeof args>,
  { skipped: string[] }
> = {
  name: "resolver.macos",
  args,
  steps: [macosResolverStep],
  async apply({ domains, ...input }, scope) {
    const id = randomLower(8);
    const skipped: string[] = [];
    for (const one of new Set(domains)) {
      const domain = one.toLowerCase();
      const done = await scope.run(macosResolverStep, { id, domain }, input);
      if (!done) skipped.push(domain);
    }
    return { skipped };
  },
};

function pathOf(root: string, name: string): string {
  return `${root}/etc/resolver/${v.parse(domain, name)}`;
}
