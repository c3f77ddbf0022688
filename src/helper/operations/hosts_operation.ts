import { SYSTEM } from "../../core/system.ts";
import * as v from "valibot";
import { randomLower } from "../../core/random_name.ts";
import type { Step } from "../../undo/step.ts";
import {
  appendHostsBlock,
  type HostsBlock,
  removeHostsBlock,
} from "./hosts_block.ts";
import { hostsPath } from "./hosts_path.ts";
import type { Machine, Operation } from "./operation.ts";
import { readFileExact, replaceFile } from "./replace_file.ts";
import { address, domain, fileMark } from "./resolver_arguments.ts";

/** Of this process. Another helper, for another user of this machine, has a block of its own. */
const made = new Set<string>();

/** Keeps names and addresses in the hosts file, between markers of our own. */
export const hostsStep: Step<
  { readonly id: string },
  HostsBlock["entries"],
  null,
  Machine
> = {
  id: "resolver.hosts",
  schema: v.object({ id: fileMark }),
  describe: () => `names of the cluster in ${hostsPath("")}`,
  undoCommand: () =>
    SYSTEM === "windows"
      ? `notepad "${
        hostsPath("")
      }" as administrator: delete the lines from "# ktctl begin" to "# ktctl end"`
      : `sudo sed -i '/^# ktctl begin/,/^# ktctl end/d' /etc/hosts`,
  apply({ id }, entries, { root }) {
    const path = hostsPath(root);
    const now = readFileExact(path) ?? "";
    const before = removeHostsBlock(now, made)?.before ?? now;
    made.add(id);
    replaceFile(path, appendHostsBlock(before, { id, entries }));
    return Promise.resolve(null);
  },
  revert({ id }, { root }) {
    const path = hostsPath(root);
    const text = readFileExact(path) ?? "";
    const removed = removeHostsBlock(text, new Set([id]));
    if (removed !== undefined) replaceFile(path, removed.before);
    return Promise.resolve();
  },
};

/** Addresses, each with its names. */
export const MOST_HOSTS = 20_000;

const entry = v.strictObject({
  address,
  names: v.pipe(v.array(domain), v.minLength(1), v.maxLength(8)),
});
const args = v.strictObject({
  entries: v.pipe(v.array(entry), v.maxLength(MOST_HOSTS)),
});

/**
 * `resolver.hosts`. Applied again, it replaces the lines of before, and closing the earlier one does
 * nothing then.
 */
export const hostsOperation: Operation<v.InferOutput<typeof args>> = {
  name: "resolver.hosts",
  args,
  steps: [hostsStep],
  apply: ({ entries }, scope) =>
    scope.run(hostsStep, { id: randomLower(8) }, entries),
};
