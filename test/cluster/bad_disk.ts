// Disks of a test's own, in a mount namespace, that become full, or fail.
import { run, succeeded } from "./command.ts";

/** Size of a file that is the whole disk of {@link Disk.failing}. */
const IMAGE = "8M";

/** At {@link path}, inside of its namespace. */
export class BadDisk implements AsyncDisposable {
  readonly path = "/mnt";
  readonly #holder: Deno.ChildProcess;
  readonly #image: string | undefined;

  private constructor(holder: Deno.ChildProcess, image?: string) {
    this.#holder = holder;
    this.#image = image;
  }

  /** In memory; `size` as tmpfs takes it, in whole pages of 4 KiB. */
  static small(size: string): Promise<BadDisk> {
    return BadDisk.#open(`mount -t tmpfs -o size=${size} tmpfs /mnt`);
  }

  /** An ext4, which can be read only from {@link fail} on, whoever has files open. */
  static async failing(): Promise<BadDisk> {
    const image = await Deno.makeTempFile({ suffix: ".ext4" });
    return await BadDisk.#open(
      `truncate -s ${IMAGE} ${image}
mkfs.ext4 -q -m 0 ${image}
mount -o loop,errors=remount-ro ${image} /mnt`,
      image,
    );
  }

  static async #open(script: string, image?: string): Promise<BadDisk> {
    const holder = new Deno.Command("unshare", {
      args: [
        ...["--mount", "--propagation=private", "sh", "-ec"],
        `${script}\necho ready\nexec cat`,
      ],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const disk = new BadDisk(holder, image);
    const reader = holder.stdout.getReader();
    const { done } = await reader.read();
    reader.releaseLock();
    if (!done) return disk;
    await disk[Symbol.asyncDispose]();
    throw new Error(`cannot mount: ${script}`);
  }

  /** Words that run a program where the disk is. */
  get within(): string[] {
    return ["nsenter", "--target", `${this.#holder.pid}`, "--mount", "--"];
  }

  async run(...words: string[]): Promise<string> {
    const [program = "", ...args] = [...this.within, ...words];
    return succeeded(await run(program, args));
  }

  /** Leaves no room, but for what is left of the last page of each file. */
  async fill(): Promise<void> {
    await this.run("sh", "-c", `cat /dev/zero > ${this.path}/filler 2>&-; :`);
  }

  async makeRoom(): Promise<void> {
    await this.run("rm", "-f", `${this.path}/filler`);
  }

  /** Of a failing one: the kernel finds an error in it. */
  async fail(): Promise<void> {
    await this.run(
      "sh",
      "-c",
      `dev=$(findmnt -no SOURCE ${this.path})
echo 1 > /sys/fs/ext4/\${dev#/dev/}/trigger_fs_error`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#holder.stdin.close();
    await this.#holder.status;
    await this.#holder.stdout.cancel();
    if (this.#image !== undefined) await Deno.remove(this.#image);
  }
}
