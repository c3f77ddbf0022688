/** Lines of ours in files that outlive a reboot, as the helper's journals do not. */
import { forSystem } from "../../core/system.ts";
import { removeResolvConfBlock } from "../../link/dns/resolv_conf_block.ts";
import { removeHostsBlock } from "./hosts_block.ts";
import { hostsPath } from "./hosts_path.ts";
import { readFileExact, replaceFile } from "./replace_file.ts";

const FILES = [
  ...forSystem({
    linux: [{ path: "/etc/resolv.conf", remove: removeResolvConfBlock }],
    windows: [],
  }),
  { path: hostsPath(""), remove: removeHostsBlock },
];

/** The files that have lines of ours. They are left over where no session lives. @param root Of the file system */
export function leftLines(root = ""): string[] {
  return FILES.flatMap(({ path, remove }) => {
    try {
      return remove(readFileExact(`${root}${path}`) ?? "") ? [path] : [];
    } catch {
      return []; // not ours to read
    }
  });
}

/** Makes those files as they were; says which. */
export function removeLeftLines(root = ""): string[] {
  const left = new Set(leftLines(root));
  return FILES.filter(({ path }) => left.has(path)).map(({ path, remove }) => {
    const file = `${root}${path}`;
    let text = readFileExact(file) ?? "";
    // each user's helper has a block of its own
    for (let found; (found = remove(text)) !== undefined;) text = found.before;
    replaceFile(file, text);
    return `lines of ktctl in ${path}`;
  });
}
