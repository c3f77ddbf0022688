// A clock of a test's own: libfaketime of Debian.
import { obstacleWithout } from "../netns/packages.ts";

const LIBRARY = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/** Why there is none here; undefined where there is. Installs it where apt is. */
export function clockObstacle(): Promise<string | undefined> {
  return obstacleWithout({ faketime: "faketime" });
}

/**
 * Words that run a program whose clock is off by `+1h` or `-1h`, say: what is to take some time takes
 * that all the same.
 */
export function clockWords(off: string): string[] {
  return [...FAKED, `FAKETIME=${off}`];
}

/** As {@link clockWords}, as a file says at each moment. */
export class SetClock implements Disposable {
  readonly #file: string = Deno.makeTempFileSync({ prefix: "ktctl-clock-" });

  constructor() {
    this.set("+0");
  }

  set(off: string): void {
    Deno.writeTextFileSync(this.#file, off);
  }

  get within(): string[] {
    return [
      ...FAKED,
      `FAKETIME_TIMESTAMP_FILE=${this.#file}`,
      "FAKETIME_CACHE_DURATION=1",
    ];
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#file);
  }
}

const FAKED = [
  "env",
  `LD_PRELOAD=${LIBRARY}`,
  // the name that Debian's version knows, and that of later ones
  "DONT_FAKE_MONOTONIC=1",
  "FAKETIME_DONT_FAKE_MONOTONIC=1",
];
