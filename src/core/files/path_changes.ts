/** How often a path is looked at where the system does not tell. */
const LOOK_AGAIN_MS = 500;

/** Tells that something may be another at a path: in a file, or in a folder but not below its folders. */
export class PathChanges implements Disposable {
  readonly #watcher: Deno.FsWatcher | undefined;
  readonly #events: AsyncIterator<unknown> | undefined;
  #next: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** From here on nothing is missed. */
  constructor(path: string) {
    try {
      this.#watcher = Deno.watchFs(path, { recursive: false });
      this.#events = this.#watcher[Symbol.asyncIterator]();
    } catch {
      // A user has 128 watchers by default on Linux, and an editor may have taken all of them; some network file
      // systems have none. Whether there is something at the path at all is told by who reads it.
    }
  }

  /** Resolves when there may be something new since it did last, or since the constructor. */
  next(): Promise<void> {
    return this.#next ??= this.#wait().finally(() => this.#next = undefined);
  }

  async #wait(): Promise<void> {
    if (this.#events !== undefined) return void await this.#events.next();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#timer = setTimeout(resolve, LOOK_AGAIN_MS);
    await promise;
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
    clearTimeout(this.#timer);
  }
}
