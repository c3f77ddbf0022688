import type { FollowObjectsOptions } from "../../cluster/discovery/followed_objects.ts";
import { watchFile } from "../../helper/operations/watch_file.ts";

/** The first is written by whoever is in charge of names, the second by systemd-resolved alone. */
const FILES = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"];

export interface FollowResolverFilesOptions extends FollowObjectsOptions {
  /** A system has only so many watches, and others may have used them up. */
  readonly onBlind: (error: unknown) => void;
  /** @default those of this machine */
  readonly files?: readonly string[];
}

/** Calls back at once, and whenever what `readResolverFiles` reads may be another, until the signal. */
export async function followResolverFiles(
  { signal, onChange, onBlind, files = FILES }: FollowResolverFilesOptions,
): Promise<void> {
  const watching = files.map((file) =>
    watchFile(file, onChange, signal).catch((error) => {
      if (error.code !== "ENOENT") onBlind(error); // else nobody writes there
    })
  );
  onChange();
  await Promise.all(watching);
}
