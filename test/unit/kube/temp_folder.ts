/** A folder that is gone when the test is. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class TempFolder implements AsyncDisposable {
  private constructor(readonly path: string) {}

  static async make(): Promise<TempFolder> {
    return new TempFolder(await mkdtemp(join(tmpdir(), "ktctl-kube-")));
  }

  /** Writes a file; anything but text is written as JSON (which is YAML too). @returns Its path. */
  async write(name: string, content: unknown, mode = 0o600): Promise<string> {
    const path = join(this.path, name);
    const text = typeof content === "string"
      ? content
      : JSON.stringify(content);
    await writeFile(path, text, { mode });
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}
