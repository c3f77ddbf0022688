import { type FSWatcher, realpathSync, watch } from "node:fs";
import { basename, dirname } from "node:path";

/** A writer may take several steps. */
const SETTLE_MS = 100;

/**
 * Calls back after a file was written, replaced, made or deleted; also where a link leads to it. A
 * file that is a mount of its own is not seen. Ends by the signal.
 *
 * @throws what `onChange` throws, and where there is no such folder, or no more can be watched.
 */
export async function watchFile(
  path: string,
  onChange: () => void,
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const watchers: FSWatcher[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const settled = () => {
    try {
      onChange();
    } catch (error) {
      reject(error);
    }
  };
  try {
    for (const one of new Set([path, realpath(path)])) {
      const watcher = watch(dirname(one), (_event, name) => {
        if (name !== basename(one)) return;
        clearTimeout(timer);
        timer = setTimeout(settled, SETTLE_MS);
      });
      watchers.push(watcher.on("error", reject));
    }
    signal.addEventListener("abort", () => resolve(), { once: true });
    if (signal.aborted) resolve();
    await promise;
  } finally {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  }
}

function realpath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
